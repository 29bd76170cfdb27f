#!/usr/bin/env perl
# Writes src/MLTransfer.Torch/Tokenization/Unicode/properties.txt: what tokenizers need of the Unicode character database and
# .NET does not tell. Each line is a property, a value, and ranges of code points in hexadecimal.
use strict;
use warnings;
use feature 'unicode_strings';
use Unicode::Normalize qw(NFC NFD NFKD);
use Unicode::UCD qw(casefold prop_invmap prop_invlist);

print "# Unicode ", Unicode::UCD::UnicodeVersion(), ": property, value, ranges of code points\n";
for my $property (qw(Canonical_Combining_Class Script)) {
    my ($starts, $values) = prop_invmap($property);
    my %ranges;
    for my $i (0 .. $#$starts) {
        my $value = $values->[$i];
        next if $value eq 'Not_Reordered' || $value eq 'Unknown' || $value eq '0';
        my $end = ($i < $#$starts ? $starts->[$i + 1] : 0x110000) - 1;
        push @{$ranges{$value}}, range($starts->[$i], $end);
    }
    if ($property eq 'Canonical_Combining_Class') {
        my %numbers = map { $_ => number($_, $ranges{$_}) } keys %ranges;
        print "$property $numbers{$_} @{$ranges{$_}}\n" for sort { $numbers{$a} <=> $numbers{$b} } keys %ranges;
    } else {
        print "$property $_ @{$ranges{$_}}\n" for sort keys %ranges;
    }
}

# The code points that came with each version: some stages of the tokenizers library have tables of earlier ones.
{
    my ($starts, $values) = prop_invmap('Age');
    my %ranges;
    for my $i (0 .. $#$starts) {
        next unless $values->[$i] =~ /^V?(\d+)[._]\d+$/;
        push @{$ranges{$1}}, range($starts->[$i], ($i < $#$starts ? $starts->[$i + 1] : 0x110000) - 1);
    }
    print "Age $_ @{$ranges{$_}}\n" for sort { $a <=> $b } keys %ranges;
}

for my $property (qw(Alphabetic Lowercase Uppercase)) {
    my @list = prop_invlist($property);
    my @ranges;
    while (@list) {
        my $start = shift @list;
        my $end = @list ? shift(@list) - 1 : 0x10FFFF;
        push @ranges, range($start, $end);
    }
    print "$property Yes @ranges\n";
}

# How characters are taken apart and joined, Hangul syllables left out: a character, '=', and the parts with '+' between.
{
    my (@canonical, @compatible, @pairs);
    for my $code (0xA0 .. 0xABFF, 0xD7A4 .. 0xD7FF, 0xE000 .. 0x2FFFF) {
        my $character = chr $code;
        my ($canonical, $compatible) = (NFD($character), NFKD($character));
        push @canonical, equation($code, $canonical) if $canonical ne $character;
        push @compatible, equation($code, $compatible) if $compatible ne $canonical;
        next if $canonical eq $character || NFC($canonical) ne $character;
        my $first = NFC(substr $canonical, 0, -1);
        push @pairs, equation($code, $first . substr $canonical, -1) if length $first == 1;
    }
    print "Decomposition Canonical @canonical\nDecomposition Compatible @compatible\nComposition Pairs @pairs\n";
}

# Lower case, and simple case folding, of one character to one.
{
    my (@lower, @fold);
    for my $code (0 .. 0xD7FF, 0xE000 .. 0x1FFFF) {
        my $lower = lc chr $code;
        push @lower, equation($code, $lower) if $lower ne chr $code && length $lower == 1;
        my $fold = casefold($code);
        push @fold, "$fold->{code}=$fold->{simple}" if $fold && $fold->{simple} ne '';
    }
    s/(^|=)0+(?=.)/$1/g for @fold;
    print "Case Lower @lower\nCase Fold @fold\n";
}

sub equation {
    my ($code, $parts) = @_;
    return sprintf '%X=%s', $code, join '+', map { sprintf '%X', ord } split //, $parts;
}

sub range {
    my ($start, $end) = @_;
    return $start == $end ? sprintf('%X', $start) : sprintf('%X-%X', $start, $end);
}

# The class's number, which the map gives by its long name.
sub number {
    my ($name, $ranges) = @_;
    return $name if $name =~ /^\d+$/;
    return $1 if $name =~ /^CCC(\d+)$/i;
    my %known = (Overlay => 1, Han_Reading => 6, Nukta => 7, Kana_Voicing => 8, Virama => 9, Attached_Below_Left => 200,
        Attached_Below => 202, Attached_Above => 214, Attached_Above_Right => 216, Below_Left => 218, Below => 220,
        Below_Right => 222, Left => 224, Right => 226, Above_Left => 228, Above => 230, Above_Right => 232,
        Double_Below => 233, Double_Above => 234, Iota_Subscript => 240);
    return $known{$name} // die "unknown combining class $name\n";
}
