using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training.Language;
using Xunit;

namespace MLTransfer.Torch.Tests.Training;

/// <summary>The noise that plain texts train T5 (arXiv 1910.10683) and BART (arXiv 1910.13461) by.</summary>
public class TextNoiseTests
{
    private const int Start = 0;
    private const int MaskStart = 2;

    private static readonly TextTokenizer s_t5 = TextTokenizer.Load(RepositoryFiles.Data("families/t5-tiny"));
    private static readonly TextTokenizer s_bart = TextTokenizer.Load(RepositoryFiles.Data("families/bart-tiny"));
    private static readonly int s_end = s_t5.EndOfSequenceId!.Value;
    private static readonly int s_mask = s_bart.MaskId!.Value;

    [Property]
    public Property Spans_put_where_their_sentinels_stand_give_the_text_back() => Prop.ForAll(
        Texts(firstId: 2).ToArbitrary(), Densities().ToArbitrary(), Gen.Choose(0, int.MaxValue - 1).ToArbitrary(), (text, density, seed) =>
        {
            var row = Corrupt(new SpanCorruption(s_t5, Start) { NoiseDensity = density }, text, seed);
            if (text.Length < 2)
            {
                Assert.Null(row);
                return;
            }

            var (read, written) = (row!.EncoderIds!, row.InputIds[1..]);
            Assert.Equal((s_end, s_end, Start), (read[^1], written[^1], row.InputIds[0]));
            Assert.Equal(written.Prepend(TrainingExample.Ignored), row.Labels);

            var sentinels = read.Where(IsSentinel).ToArray();
            Assert.Equal(Enumerable.Range(0, sentinels.Length).Select(Sentinel), sentinels);
            Assert.Equal(Enumerable.Range(0, sentinels.Length + 1).Select(Sentinel), written.Where(IsSentinel));
            Assert.Equal(Sentinel(sentinels.Length), written[^2]);

            var spans = sentinels.ToDictionary(
                sentinel => sentinel, sentinel => written.SkipWhile(id => id != sentinel).Skip(1).TakeWhile(id => !IsSentinel(id)));
            Assert.All(spans.Values, span => Assert.NotEmpty(span));
            Assert.Equal(text, read[..^1].SelectMany(id => IsSentinel(id) ? spans[id] : [id]));
            Assert.Equal(
                Math.Clamp((int)Math.Round(text.Length * density), 1, text.Length - 1), spans.Values.Sum(span => span.Count()));
            Assert.False(IsSentinel(read[0]));
        });

    /// <summary>Tokens are numbered, so that what is missing shows.</summary>
    [Property]
    public Property One_mask_stands_for_each_span_and_the_whole_text_is_written() => Prop.ForAll(
        Gen.Choose(0, 300).ToArbitrary(), Densities().ToArbitrary(), Gen.Choose(0, int.MaxValue - 1).ToArbitrary(),
            (length, density, seed) =>
        {
            int[] text = [.. Enumerable.Range(10, length)];
            var row = Corrupt(new TextInfilling(s_bart, MaskStart) { NoiseDensity = density }, text, seed);
            if (length == 0)
            {
                Assert.Null(row);
                return;
            }

            Assert.Equal([MaskStart, 0, .. text, 2], row!.InputIds);
            Assert.Equal([TrainingExample.Ignored, 0, .. text, 2], row.Labels);
            Assert.Equal((0, 2), (row.EncoderIds![0], row.EncoderIds[^1]));
            var read = row.EncoderIds[1..^1];
            Assert.True(read.Length <= length);
            Assert.Equal(length - Math.Clamp((int)Math.Round(length * density), 1, length), read.Count(id => id != s_mask));
            var expected = 10;
            for (var i = 0; i < read.Length; i++)
            {
                if (read[i] == s_mask)
                {
                    Assert.False(i > 0 && read[i - 1] == s_mask, "two masks side by side");
                    continue;
                }

                Assert.True(read[i] == expected || (read[i] > expected && i > 0 && read[i - 1] == s_mask), "missing without a mask");
                expected = read[i] + 1;
            }

            Assert.True(expected == 10 + length || read[^1] == s_mask, "missing without a mask");
        });

    [Fact]
    public void Spans_of_T5_have_the_density_and_the_mean_length_that_the_options_say()
    {
        var noise = new SpanCorruption(s_t5, Start) { NoiseDensity = 0.2, MeanSpanLength = 4 };
        int[] text = [.. Enumerable.Repeat(20, 60)];
        var rows = Enumerable.Range(0, 2000).Select(seed => Corrupt(noise, text, seed)!).ToList();
        Assert.All(rows, row => Assert.Equal(3, row.EncoderIds!.Count(IsSentinel)));
        Assert.All(rows, row => Assert.Equal(12, row.Labels.Count(id => id == 20)));

        // The first span of a uniform division of 12 into 3 parts: mean 4, and 10/55 of them are 1.
        var first = rows.Select(row => row.InputIds.Skip(2).TakeWhile(id => !IsSentinel(id)).Count()).ToList();
        Assert.InRange(first.Average(), 3.85, 4.15);
        Assert.InRange(first.Count(length => length == 1) / 2000.0, 10 / 55.0 - 0.03, 10 / 55.0 + 0.03);
    }

    [Fact]
    public void Spans_of_BART_have_the_lengths_of_a_Poisson_distribution()
    {
        var noise = new TextInfilling(s_bart, MaskStart);
        int[] text = [.. Enumerable.Range(10, 400)];
        var lengths = new List<int>();
        for (var seed = 0; seed < 200; seed++)
        {
            var read = Corrupt(noise, text, seed)!.EncoderIds![1..^1];
            Assert.Equal(280, read.Count(id => id != s_mask));
            var last = 9;
            for (var i = 0; i < read.Length; i++)
            {
                if (read[i] != s_mask)
                    last = read[i];
                else
                    lengths.Add((i + 1 < read.Length ? read[i + 1] : 410) - last - 1);
            }
        }

        // 120 tokens a text, in some 40 spans: only the last one is cut.
        Assert.InRange(lengths.Average(), 2.85, 3.05);
        Assert.InRange(lengths.Count(length => length == 0) / (double)lengths.Count, Math.Exp(-3) - 0.01, Math.Exp(-3) + 0.01);
        Assert.InRange(lengths.Count(length => length == 3) / (double)lengths.Count, 0.224 - 0.02, 0.224 + 0.02);
        var variance = lengths.Average(length => length * length) - Math.Pow(lengths.Average(), 2);
        Assert.InRange(variance, 2.6, 3.3);
    }

    [Fact]
    public void Noise_is_new_in_every_epoch_and_the_same_for_a_seed_and_that_of_evaluation_is_always_the_same()
    {
        using var model = TransformerNetwork.Load(RepositoryFiles.Data("families/t5-tiny"));
        TrainingExample[] rows = [.. Enumerable.Range(0, 3).Select(row => Plain([.. Enumerable.Range(10 + row, 40)]))];
        var noise = new SpanCorruption(s_t5, Start);
        LanguageRows With(long seed) => new(model, new LanguageTrainingOptions { Seed = seed, BatchSize = 1 }, rows, rows, noise);
        static int[] Read(LanguageRows rows, int row, int step) => rows.Training(row, step).EncoderIds!;

        var (first, again, other) = (With(1), With(1), With(2));

        Assert.Equal(Read(first, 0, 0), Read(again, 0, 2)); // of one epoch
        Assert.Equal(Read(first, 1, 3), Read(again, 1, 3));
        Assert.NotEqual(Read(first, 0, 0), Read(first, 0, 3));
        Assert.NotEqual(Read(first, 0, 0), Read(other, 0, 0));
        Assert.NotEqual(
            Read(first, 0, 0).Select(id => IsSentinel(id)), Read(first, 1, 0).Select(id => IsSentinel(id))); // each row has its own
        Assert.Equal(first.Validation.Select(row => row.EncoderIds), other.Validation.Select(row => row.EncoderIds));
    }

    [Theory]
    [InlineData(0, 3)]
    [InlineData(1.1, 3)]
    [InlineData(0.2, 0.5)]
    public void Options_out_of_range_are_refused_by_name(double density, double length)
    {
        var message = Assert.Throws<ArgumentOutOfRangeException>(() => Corrupt(
            new SpanCorruption(s_t5, Start) { NoiseDensity = density, MeanSpanLength = length }, [10, 11, 12], 0)).Message;
        Assert.Contains(length < 1 ? "MeanSpanLength" : "NoiseDensity", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tokenizer_without_the_tokens_for_it_is_refused()
    {
        Assert.Contains(
            "<extra_id_0>", Assert.Throws<ArgumentException>(() => new SpanCorruption(s_bart, 2)).Message, StringComparison.Ordinal);
        Assert.Contains("mask_token", Assert.Throws<ArgumentException>(() => new TextInfilling(s_t5, 0)).Message, StringComparison.Ordinal);
    }

    private static TrainingExample Plain(int[] text) => new(text, text);

    private static TrainingExample? Corrupt(RowCorruption noise, int[] text, int seed)
    {
        var draws = new SplitMix64((ulong)seed);
        return noise.Corrupt(Plain(text), ref draws);
    }

    private static int Sentinel(int number) => s_t5.TokenToId($"<extra_id_{number}>")!.Value;

    private static bool IsSentinel(int id) => id >= 0 && s_t5.IdToToken(id).StartsWith("<extra_id_", StringComparison.Ordinal);

    private static Gen<int[]> Texts(int firstId) => Gen.Choose(firstId, 150).ArrayOf();

    private static Gen<double> Densities() => Gen.Choose(1, 100).Select(percent => percent / 100.0);
}
