#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# make_geo.pl FILE - writes a small MMDB: who is where in the residency tests.  Needs Debian's
# libmaxmind-db-writer-perl.  Country and network are in one file, as some vendors have it; the
# sensor reads each from whatever file it is pointed at.
use strict;
use warnings;
use MaxMind::DB::Writer::Tree;

my %types = (
    country                  => 'map',
    iso_code                 => 'utf8_string',
    autonomous_system_number => 'uint32',
    country_code             => 'utf8_string',
    asn                      => 'utf8_string',
);
my $tree = MaxMind::DB::Writer::Tree->new(
    ip_version               => 6,
    record_size              => 24,
    database_type            => 'bulkhead-test',
    languages                => ['en'],
    description              => { en => 'documentation addresses' },
    map_key_type_callback    => sub { $types{ $_[0] } },
    remove_reserved_networks => 0,
);

sub place {
    my ( $network, $country, $asn ) = @_;
    $tree->insert_network( $network,
        { country => { iso_code => $country }, autonomous_system_number => $asn } );
}

place( '198.51.100.0/24',      'US', 64501 );
place( '203.0.113.0/24',       'FR', 64502 );
place( '192.0.2.128/25',       'US', 64500 );
place( '2001:db8:1::/48',      'JP', 64503 );
$tree->insert_network( '198.18.5.0/24', { country_code => 'BR', asn => 'AS64504' } );
open my $out, '>:raw', $ARGV[0] or die "$ARGV[0]: $!\n";
$tree->write_tree($out);
close $out or die "$ARGV[0]: $!\n";
