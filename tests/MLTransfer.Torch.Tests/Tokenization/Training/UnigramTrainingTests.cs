using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Tokenization.Training;
using Xunit;

namespace MLTransfer.Torch.Tests.Tokenization.Training;

public sealed class UnigramTrainingTests
{
    private static readonly string[] s_pieces = ["a", "b", "ab", "ba", "aba", "bb", "c"];
    private static readonly double[] s_scores = [-1.5, -2, -2.5, -3.5, -3, -4, -6];

    private static readonly Gen<string> s_word =
        Gen.Elements("a", "b", "c", "d").NonEmptyListOf().Select(letters => string.Concat(letters.Take(8)));

    [Property(MaxTest = 200)]
    public Property Expected_counts_are_those_of_all_ways_to_make_a_word() => Prop.ForAll(s_word.ToArbitrary(), word =>
    {
        double unknown = s_scores.Min() - 10;
        double[] expected = new double[s_pieces.Length];
        List<int>[] ways = [.. NaiveTraining.Segmentations(word, s_pieces)];
        double[] probabilities = [.. ways.Select(way =>
            Math.Exp(way.Sum(piece => piece == UnigramLattice.Unknown ? unknown : s_scores[piece])))];
        for (int i = 0; i < ways.Length; i++)
        {
            foreach (int piece in ways[i].Where(piece => piece != UnigramLattice.Unknown))
                expected[piece] += 3 * probabilities[i] / probabilities.Sum();
        }

        var lattice = new UnigramLattice(s_pieces, s_scores);
        double[] found = new double[s_pieces.Length];
        double logProbability = lattice.AddExpected(word, 3, found);

        Assert.Equal(Math.Log(probabilities.Sum()), logProbability, 1e-9);
        Assert.All(expected.Zip(found), both => Assert.Equal(both.First, both.Second, 1e-9));
    });

    [Property(MaxTest = 200)]
    public Property The_best_way_is_the_best_of_all() =>
        Prop.ForAll(s_word.ToArbitrary(), Gen.Choose(0, 6).ToArbitrary(), (word, without) =>
    {
        double unknown = s_scores.Min() - 10;
        string[] left = [.. s_pieces.Select((piece, i) => i == without ? "-" : piece)];
        double best = NaiveTraining.Segmentations(word, left).Max(way =>
            way.Sum(piece => piece == UnigramLattice.Unknown ? unknown : s_scores[piece]));
        var path = new List<int>();

        double found = new UnigramLattice(s_pieces, s_scores).FindBest(word, without, path);

        Assert.Equal(best, found, 1e-9);
        Assert.Equal(found, path.Sum(piece => piece == UnigramLattice.Unknown ? unknown : s_scores[piece]), 1e-9);
        Assert.DoesNotContain(without, path);
    });

    [Property(MaxTest = 200)]
    public Property Seeds_are_the_parts_of_words_that_occur_again() => Prop.ForAll(
        Gen.Elements("a", "b", "ab", "😀").NonEmptyListOf().Select(parts => string.Concat(parts.Take(8))).NonEmptyListOf().ToArbitrary(),
            texts =>
        {
            (string Word, long Count)[] words =
                [.. texts.Distinct().Order(StringComparer.Ordinal).Select((word, i) => (word, (long)i + 1))];

            List<(string Piece, double Weight)> seeds = UnigramSeeds.Of(words, Alphabet.Of(words, null), 4, 1);

            // The naive way is by unit: it has a unit for each character instead.
            (string Word, long Count)[] byUnit =
                [.. words.Select(word => (word.Word.Replace("😀", "z", StringComparison.Ordinal), word.Count))];
            Dictionary<string, long> expected = NaiveTraining.RepeatedParts(byUnit, 4);
            Assert.Equal(
                expected.Select(part => (part.Key, (double)part.Value * part.Key.Length)).Order(),
                seeds.Select(seed => (Piece: seed.Piece.Replace("😀", "z", StringComparison.Ordinal), seed.Weight))
                    .Where(seed => seed.Piece.Length > 1).Order());
            Assert.Equal(seeds.Count, seeds.Select(seed => seed.Piece).Distinct().Count());
        });

    [Fact]
    public void Texts_are_more_probable_than_with_pieces_chosen_at_random()
    {
        string[] lines = TokenizerData.Excerpt.Split('\n');
        TextTokenizer trained = TextTokenizer.Train(lines, new() { Kind = TokenizerKind.Unigram, VocabularySize = 400 });
        TextTokenizer large = TextTokenizer.Train(lines, new() { Kind = TokenizerKind.Unigram, VocabularySize = 1500 });
        JsonElement.ArrayEnumerator pieces =
            JsonElement.Parse(large.Files["tokenizer.json"]).GetProperty("model").GetProperty("vocab").EnumerateArray();
        string[] all = [.. pieces.Select(piece => piece[0].GetString()!).Skip(3)];
        string[] characters = [.. all.Where(piece => piece.Length == 1)];
        string[] random = [.. all.Except(characters).ToArray()];
        new Random(3).Shuffle(random);
        string[] chosen = [.. characters, .. random.Take(400 - 3 - characters.Length)];
        double[] scores = [.. chosen.Select(_ => -Math.Log(chosen.Length))];

        int atRandom = lines.Sum(line => CountBest(line, chosen, scores));
        int tokens = lines.Sum(line => trained.Encode(line).Length);

        Assert.Equal(400, trained.VocabularySize);
        Assert.True(tokens < 0.8 * atRandom, $"{tokens} tokens, {atRandom} with pieces chosen at random");
    }

    [Fact]
    public void Scores_are_logarithms_of_probabilities_in_descending_order_and_every_character_has_one()
    {
        TextTokenizer tokenizer = TextTokenizer.Train(
            TokenizerData.Excerpt.Split('\n'), new() { Kind = TokenizerKind.Unigram, VocabularySize = 300 });
        JsonElement model = JsonElement.Parse(tokenizer.Files["tokenizer.json"]).GetProperty("model");
        double[] scores = [.. model.GetProperty("vocab").EnumerateArray().Skip(3).Select(piece => piece[1].GetDouble())];

        Assert.Equal(0, model.GetProperty("unk_id").GetInt32());
        Assert.Equal(scores.OrderDescending(), scores);
        Assert.InRange(scores.Sum(Math.Exp), 0.8, 1.05);
        Assert.All(TokenizerData.Excerpt.Where(unit => !char.IsWhiteSpace(unit)).Distinct(), unit =>
            Assert.NotNull(tokenizer.TokenToId(unit.ToString())));
    }

    private static int CountBest(string line, string[] pieces, double[] scores)
    {
        var lattice = new UnigramLattice(pieces, scores);
        var path = new List<int>();
        int count = 0;
        foreach (string word in line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            lattice.FindBest("▁" + word, null, path);
            count += path.Count;
        }

        return count;
    }
}
