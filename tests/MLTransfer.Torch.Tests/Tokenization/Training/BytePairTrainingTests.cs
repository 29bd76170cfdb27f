using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Tokenization.Training;
using Xunit;

namespace MLTransfer.Torch.Tests.Tokenization.Training;

public sealed class BytePairTrainingTests
{
    private static readonly TrainingWatch s_watch = new(null, default);

    private static readonly Gen<(string Word, long Count)> s_words =
        Gen.Elements("a", "b", "c", "ab", "abc", "é").NonEmptyListOf().Select(string.Concat)
            .Zip(Gen.Choose(1, 5).Select(count => (long)count));

    [Fact]
    public void Merges_are_those_of_the_reference_trainer()
    {
        JsonElement reference = TokenizerData.Read("tokenization/trained.json");
        string[] expected = [.. reference.GetProperty("merges").EnumerateArray().Select(merge => merge.GetString()!)];
        IEnumerable<string> lines = TokenizerData.Excerpt.Split('\n').SkipLast(1).Select(line => line + "\n");

        TextTokenizer tokenizer = TextTokenizer.Train(
            lines, new() { VocabularySize = 256 + expected.Length, MinimumFrequency = 1, SpecialTokens = new() });

        Assert.Equal(expected, Merges(tokenizer).Take(expected.Length));
        Assert.Equal(256 + expected.Length, tokenizer.VocabularySize);
    }

    [Fact]
    public void The_words_of_the_paper_are_joined_as_by_hand()
    {
        IEnumerable<string> texts = [.. Enumerable.Repeat("low", 5), .. Enumerable.Repeat("lower", 2), .. Enumerable.Repeat("newest", 6),
            .. Enumerable.Repeat("widest", 3)];

        TextTokenizer tokenizer = TextTokenizer.Train(texts, new() { VocabularySize = 257 + 8 });

        // es 9, es+t 9; lo 7, lo+w 7; of ew, ne, west (6) the one of the lowest letters; then new and the whole word.
        Assert.Equal(["e s", "es t", "l o", "lo w", "e w", "n ew", "new est", "d est"], Merges(tokenizer));
        Assert.Equal(["low", "est"], tokenizer.Encode("lowest").Select(tokenizer.IdToToken));
    }

    [Property(MaxTest = 100)]
    public Property Byte_pairs_are_those_of_counting_anew_each_time() => Prop.ForAll(
        s_words.NonEmptyListOf().ToArbitrary(), Gen.Choose(1, 4).Zip(Gen.Choose(2, 9)).ToArbitrary(), (sample, limits) =>
        {
            (string Word, long Count)[] words = Distinct(sample);
            var options = new TokenizerTrainingOptions
            {
                VocabularySize = 280,
                MinimumFrequency = limits.Item1,
                MaximumTokenLength = limits.Item2,
                SpecialTokens = new() { Unknown = "<u>" },
            };
            string[] alphabet = ["<u>", .. Enumerable.Range(0, 256)
                .Select(value => ByteLevelAlphabet.CharacterOf((byte)value)).Order().Select(character => character.ToString())];

            BytePairTraining.Result result = BytePairTraining.OnBytes(words, options, s_watch);

            (List<string> tokens, List<(string, string)> merges) = NaiveTraining.BytePairs(
                words.Select(word => (NaiveTraining.AsBytes(word.Word).Select(unit => unit.ToString()).ToArray(), word.Count)),
                alphabet, "", 280, limits.Item1, limits.Item2);
            Assert.Equal(tokens, result.Tokens);
            Assert.Equal(merges, result.Merges);
        });

    [Property(MaxTest = 100)]
    public Property Word_pieces_are_those_of_counting_anew_each_time() => Prop.ForAll(s_words.NonEmptyListOf().ToArbitrary(), sample =>
    {
        (string Word, long Count)[] words = Distinct(sample);
        var options = new TokenizerTrainingOptions { Kind = TokenizerKind.WordPiece, VocabularySize = 40 };
        string[] characters = [.. words.SelectMany(word => word.Word).Distinct().Order().Select(unit => unit.ToString())];
        string[] continuing = [.. words.SelectMany(word => word.Word.Skip(1)).Distinct().Order().Select(unit => $"##{unit}")];

        BytePairTraining.Result result = BytePairTraining.OnCharacters(words, "##", options, s_watch);

        (List<string> tokens, _) = NaiveTraining.BytePairs(
            words.Select(word => (word.Word.Select((unit, place) => (place == 0 ? "" : "##") + unit).ToArray(), word.Count)),
            ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", .. characters, .. continuing], "##", 40, 2, int.MaxValue);
        Assert.Equal(tokens, result.Tokens);
    });

    [Fact]
    public void Nothing_is_joined_across_a_character_that_is_left_out()
    {
        TextTokenizer tokenizer = TextTokenizer.Train(
            ["aqb aqb aqb", "aa bb ab"], new() { Kind = TokenizerKind.WordPiece, MaximumAlphabetSize = 2, MinimumFrequency = 2 });

        Assert.Null(tokenizer.TokenToId("q"));
        Assert.Null(tokenizer.TokenToId("ab")); // once in "ab", not in "aqb"
        Assert.Equal(["[UNK]"], tokenizer.Encode("aqb", addSpecialTokens: false).Select(tokenizer.IdToToken));
    }

    [Fact]
    public void A_word_of_a_million_characters_is_trained_on_in_seconds()
    {
        var random = new Random(1);
        string word = string.Concat(Enumerable.Range(0, 1_000_000).Select(_ => (char)('a' + random.Next(20))));
        long start = System.Diagnostics.Stopwatch.GetTimestamp();

        TextTokenizer tokenizer = TextTokenizer.Train([word, new string('x', 1_000_000)], new() { VocabularySize = 1000 });

        Assert.Equal(1000, tokenizer.VocabularySize);
        Assert.True(System.Diagnostics.Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(60)); // a second or two on a free core
    }

    private static (string Word, long Count)[] Distinct(IEnumerable<(string Word, long Count)> words) =>
        [.. words.DistinctBy(word => word.Word).OrderBy(word => word.Word, StringComparer.Ordinal)];

    private static IEnumerable<string> Merges(TextTokenizer tokenizer) =>
        JsonElement.Parse(tokenizer.Files["tokenizer.json"]).GetProperty("model").GetProperty("merges").EnumerateArray()
            .Select(merge => $"{merge[0].GetString()} {merge[1].GetString()}");
}
