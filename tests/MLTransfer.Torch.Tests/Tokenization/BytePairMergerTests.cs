using System.Diagnostics;
using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Tokenization.Models;
using MLTransfer.Torch.Tokenization.PreTokenizers;
using Microsoft.ML.Tokenizers;
using Xunit;

namespace MLTransfer.Torch.Tests.Tokenization;

public sealed class BytePairMergerTests
{
    private static readonly BpeTokenizer s_other = BpeTokenizer.Create(OptionsOf(new Gpt2PreTokenizer()));

    [Property(MaxTest = 1000)]
    public Property Words_are_joined_as_by_BpeTokenizer() => Prop.ForAll(
        Gen.Elements("the", "ing", " and", "er", "on", "x", "e", "日", "é", "\n").ArrayOf().Select(string.Concat).ToArbitrary(),
        text => Assert.Equal(s_other.EncodeToIds(text), TokenizerData.Tokenizer.Encode(text)));

    [Property(MaxTest = 300)]
    public Property Joins_follow_the_ranks_whatever_they_are() => Prop.ForAll(
        Gen.Elements("a", "b", "c").ListOf().Select(string.Concat).Zip(Gen.Choose(0, int.MaxValue)).ToArbitrary(), sample =>
        {
            (string word, int seed) = sample;
            (Dictionary<string, int> vocabulary, (string Left, string Right)[] merges) = RandomMerges(new Random(seed));

            Assert.Equal(JoinOneByOne(word, merges).Select(token => vocabulary[token]), Join(word, vocabulary, merges));
        });

    [Fact]
    public void A_pair_listed_twice_has_its_later_rank()
    {
        var vocabulary = new Dictionary<string, int> { ["a"] = 0, ["b"] = 1, ["c"] = 2, ["ab"] = 3, ["bc"] = 4 };

        Assert.Equal([0, 4], Join("abc", vocabulary, [("a", "b"), ("b", "c"), ("a", "b")]));
    }

    [Theory]
    [InlineData("x")]
    [InlineData("the")]
    [InlineData("日本語")]
    [InlineData("abcdefghijklmnopqrstuvwxyz")]
    public void A_long_word_takes_time_in_proportion_to_its_length(string part)
    {
        const int Pieces = 40;
        string shortWord = string.Concat(Enumerable.Repeat(part, 5_000 / part.Length));
        string longWord = string.Concat(Enumerable.Repeat(shortWord, Pieces));
        TextTokenizer tokenizer = TokenizerData.Tokenizer;

        TimeSpan Fastest(Action encode) => Enumerable.Range(0, 4).Min(_ =>
        {
            long start = Stopwatch.GetTimestamp();
            encode();
            return Stopwatch.GetElapsedTime(start);
        });
        TimeSpan inPieces = Fastest(() =>
        {
            for (int piece = 0; piece < Pieces; piece++)
                tokenizer.Encode(shortWord);
        });
        TimeSpan asOne = Fastest(() => tokenizer.Encode(longWord));

        // The same letters in 40 words and in one: quadratic time would be 40 times as long.
        Assert.True(asOne < 12 * inPieces, $"{asOne} as one word, {inPieces} as {Pieces} words.");
    }

    internal static BpeOptions OptionsOf(PreTokenizer preTokenizer) => new(
        JsonSerializer.Deserialize<Dictionary<string, int>>(TokenizerData.Bytes("vocab.json"))!)
    {
        Merges = Encoding.UTF8.GetString(TokenizerData.Bytes("merges.txt")).Split('\n').Where(line => line.Length > 0 && line[0] != '#'),
        ByteLevel = true,
        PreTokenizer = preTokenizer,
    };

    private static List<int> Join(string word, Dictionary<string, int> ids, (string, string)[] merges)
    {
        var vocabulary = new TokenVocabulary("vocab.json");
        foreach ((string token, int id) in ids)
            vocabulary.Add(token, id, "vocab.json");
        var model = new BytePairModel(new BytePairOptions
        {
            Vocabulary = vocabulary,
            Merges = MergeList.Resolve(merges, vocabulary, "merges.txt"),
            MergesFile = "merges.txt",
        });
        var tokens = new TokenBuffer(8, keepsUnits: true);
        model.Tokenize(word, tokens);
        Assert.Equal(word, string.Concat(tokens.Units!.Select(units => word[units.Start..units.End])));
        return tokens.Ids;
    }

    private static (Dictionary<string, int>, (string, string)[]) RandomMerges(Random random)
    {
        List<string> tokens = ["a", "b", "c"];
        var merges = new List<(string, string)>();
        for (int i = 0; i < 12; i++)
        {
            (string left, string right) = (tokens[random.Next(tokens.Count)], tokens[random.Next(tokens.Count)]);
            if (tokens.Contains(left + right))
                continue;
            tokens.Add(left + right);
            merges.Add((left, right));
        }

        // A rank need not be higher than those of the pair's own halves.
        (string, string)[] shuffled = [.. merges];
        random.Shuffle(shuffled);
        return (tokens.Select((token, index) => (token, index)).ToDictionary(), shuffled);
    }

    /// <summary>The definition: join the lowest-ranked pair, the leftmost of equals, until there is none.</summary>
    private static List<string> JoinOneByOne(string word, (string Left, string Right)[] merges)
    {
        List<string> symbols = [.. word.Select(letter => letter.ToString())];
        while (true)
        {
            (int rank, int position) = Enumerable.Range(0, Math.Max(symbols.Count - 1, 0))
                .Select(index => (Rank: Array.IndexOf(merges, (symbols[index], symbols[index + 1])), Position: index))
                .Where(pair => pair.Rank >= 0).DefaultIfEmpty((-1, -1)).Min();
            if (rank < 0)
                return symbols;
            symbols[position] += symbols[position + 1];
            symbols.RemoveAt(position + 1);
        }
    }
}
