using System.Diagnostics;
using MLTransfer.Torch.Tokenization.Patterns;
using MLTransfer.Torch.Tokenization.Texts;
using Xunit;

namespace MLTransfer.Torch.Tests.Tokenization;

/// <summary>Expected matches are what Oniguruma 6.9 finds, by its documented rules.</summary>
public sealed class RegularExpressionTests
{
    [Theory]
    [InlineData("a|ab", "abab", "a,a")]
    [InlineData("ab|a", "aba", "ab,a")]
    [InlineData("a+?", "aaa", "a,a,a")]
    [InlineData("a{2}", "aaaaa", "aa,aa")]
    [InlineData("a{,2}b", "aaab", "aab")]
    [InlineData("a{1,2}+", "aaa", "aaa")]
    [InlineData("a{x}", "a{x}", "a{x}")]
    [InlineData("(?>a+)ab|b", "aaab", "b")]
    [InlineData("a++b", "aab", "aab")]
    [InlineData("a++a", "aaa", "")]
    [InlineData("(?<=a)b|(?<!a)c", "abacc", "b,c")]
    [InlineData("(?<=ab|c)d", "abdcdd", "d,d")]
    [InlineData("\\s+(?!\\S)|\\s+", "a   b  ", "  , ,  ")]
    [InlineData("^b$", "a\nb\nc", "b")]
    [InlineData("a.c", "a\nc\ta\rc", "a\rc")]
    [InlineData("(?m:a.c)", "a\nc", "a\nc")]
    [InlineData("\\Aa|a\\z", "aba", "a,a")]
    [InlineData("\\bthe\\b", "the other the", "the,the")]
    [InlineData("(?i:'s)", "'S'ſ's", "'S,'ſ,'s")]
    [InlineData("(?i)k|ö", "kK\u212AÖ", "k,K,\u212A,Ö")]
    [InlineData("(?i:a)b", "AbAB", "Ab")]
    [InlineData("(?i)σ", "Σςσ", "Σ,ς,σ")]
    [InlineData("[^(\\s|[.,])]+", "a.(b|c) d", "a,b,c,d")]
    [InlineData("[a-z&&[^aeiou]]+", "hello", "h,ll")]
    [InlineData("[]a]+", "a]b", "a]")]
    [InlineData("[a\\-z]+", "a-z b", "a-z")]
    [InlineData("[[:alpha:]]+", "añ1", "añ")]
    [InlineData("[[:^alpha:]]+", "añ1", "1")]
    [InlineData("\\p{L}+", "a𝒜日1", "a𝒜日")]
    [InlineData("\\p{^L}+", "a12", "12")]
    [InlineData("\\P{Lu}+", "aBc", "a,c")]
    [InlineData("\\p{Greek}+", "aβγb", "βγ")]
    [InlineData("\\p{Han}|\\p{Uppercase_Letter}", "日A", "日,A")]
    [InlineData("[^\\p{L}]+", "a𝟙😀b", "𝟙😀")]
    [InlineData("[😀-😂]", "😀😁😃", "😀,😁")]
    [InlineData("\\p{N}", "𝟙½٣", "𝟙,½,٣")]
    [InlineData("\\d+", "1½٣", "1,٣")]
    [InlineData("\\h+", "fFg9", "fF,9")]
    [InlineData("\\w+", "½é①a", "½é,a")]
    [InlineData("[\\w]+", "½é", "é")]
    [InlineData("\\x41\\x{1F600}\\u0042\\103", "A😀BC", "A😀BC")]
    [InlineData("\\R", "\r\n\n", "\r\n,\n")]
    [InlineData("(\\w)\\1", "aabcc", "aa,cc")]
    [InlineData("(?<q>['\"])a\\k<q>", "'a\"'a'", "'a'")]
    [InlineData("(?x) a  b # comment", "ab", "ab")]
    [InlineData("a(?#note)b", "ab", "ab")]
    [InlineData("(?:a|)+b", "aab", "aab")]
    [InlineData("(?:a*)*b", "aab", "aab")]
    public void Matches_are_those_of_Oniguruma(string pattern, string text, string expected) =>
        Assert.Equal(expected, string.Join(',', Matches(pattern, text)));

    [Fact]
    public void Empty_matches_stand_between_characters_but_not_beside_another_match() =>
        Assert.Equal(["", "aa", ""], Matches("a*", "baa😀"));

    [Theory]
    [InlineData("(a*)*c", "a")]
    [InlineData("(a|a)*c", "a")]
    [InlineData("(a|aa)+$c", "a")]
    [InlineData("\\s+$|x", " ")]
    [InlineData("\\s*[\\r\\n]+|\\s+(?!\\S)", " ")]
    [InlineData("(?:\\w+\\s?)+!", "a")]
    [InlineData("(?>a|b)*c", "ab")]
    [InlineData("(?=(a+)+c)a", "a")]
    public void A_pattern_that_backtracks_takes_time_in_proportion_to_the_text(string pattern, string part)
    {
        var expression = new RegularExpression(pattern);
        TimeSpan Time(int length)
        {
            string text = string.Concat(Enumerable.Repeat(part, length / part.Length)) + "y";
            long start = Stopwatch.GetTimestamp();
            expression.FindMatches(text, []);
            return Stopwatch.GetElapsedTime(start);
        }

        Time(1000);

        // Exponential time would not end, quadratic time would be half an hour.
        Assert.True(Time(200_000) < TimeSpan.FromSeconds(20));
    }

    [Theory]
    [InlineData("(?~a)")]
    [InlineData("(?(1)a|b)")]
    [InlineData("\\g<1>")]
    [InlineData("\\Ka")]
    [InlineData("\\X")]
    [InlineData("\\p{Emoji_Of_Mine}")]
    [InlineData("(a)b*\\1")]
    [InlineData("(?<=a*)b")]
    [InlineData("(?:(?:a{1000}){1000}){1000}")]
    public void What_is_not_supported_is_refused_with_the_pattern(string pattern) =>
        Assert.Contains(pattern, Assert.Throws<NotSupportedException>(() => new RegularExpression(pattern)).Message);

    [Theory]
    [InlineData("(a")]
    [InlineData("a)")]
    [InlineData("[a")]
    [InlineData("*a")]
    [InlineData("[z-a]")]
    [InlineData("a\\")]
    [InlineData("\\2(a)")]
    public void What_is_no_pattern_is_refused_with_it(string pattern) =>
        Assert.Contains(pattern, Assert.Throws<FormatException>(() => new RegularExpression(pattern)).Message);

    [Fact]
    public void Groups_within_each_other_are_bounded() =>
        Assert.Throws<FormatException>(() => new RegularExpression(new string('(', 5000) + new string(')', 5000)));

    private static List<string> Matches(string pattern, string text)
    {
        var matches = new List<TextMatch>();
        new RegularExpression(pattern).FindMatches(text, matches);
        int end = 0;
        foreach (TextMatch match in matches)
        {
            Assert.Equal(end, match.Start);
            end = match.End;
        }

        Assert.Equal(text.Length, end);
        return [.. matches.Where(match => match.IsMatch).Select(match => text[match.Start..match.End])];
    }
}
