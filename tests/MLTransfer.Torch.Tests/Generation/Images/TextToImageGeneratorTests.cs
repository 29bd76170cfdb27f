using MLTransfer.Torch.Generation.Images;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Tests.Networks.Images;
using Xunit;

namespace MLTransfer.Torch.Tests.Generation.Images;

public sealed class TextToImageGeneratorTests : IDisposable
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static readonly ImageGenerationOptions s_options = new() { Seed = 5, TopK = 6, BatchSize = 3 };

    private readonly TinyPictures _model = TinyPictures.Create();

    private static CancellationToken Token => Stop;

    private TextToImageGenerator Generator => new(_model, TinyPictures.Tokenizer);

    public void Dispose() => _model.Dispose();

    [Fact]
    public void A_prompt_gets_the_same_picture_alone_and_beside_others()
    {
        ImagePrompt[] prompts =
        [
            "red", "dark green", new ImagePrompt(), new ImagePrompt { Pixels = Pixels(1) },
            new ImagePrompt { Text = "blue", Pixels = Pixels(2), Kept = Checkered() }, "left square",
        ];
        var together = Generator.Generate(prompts, s_options, cancellationToken: Token);
        foreach (var (i, prompt) in prompts.Index())
        {
            var alone = Generator.Generate([prompt], s_options with { BatchSize = 1 }, cancellationToken: Token)[0];
            Assert.Equal(alone.Codes, together[i].Codes);
            Assert.Equal(alone.Pixels, together[i].Pixels);
            Assert.Equal((8, 3 * 8 * 8), (alone.Side, alone.Pixels.Length));
        }
    }

    [Fact]
    public void The_seed_decides_and_that_of_a_prompt_before_that_of_the_options()
    {
        IReadOnlyList<int> Of(long seed, long? own = null) => Generator.Generate(
            [new ImagePrompt { Text = "red", Seed = own }], s_options with { Seed = seed }, cancellationToken: Token)[0].Codes;
        Assert.Equal(Of(1), Of(1));
        Assert.NotEqual(Of(1), Of(2));
        Assert.Equal(Of(2), Of(1, own: 2));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Guidance_multiplies_what_the_caption_changes(float scale)
    {
        var codes = Generator.Generate(
            ["dark green"], new() { Sample = false, GuidanceScale = scale }, cancellationToken: Token)[0].Codes;
        using var writer = _model.CreateWriter(
            [_model.PadCaption(TinyPictures.Tokenizer.Encode("dark green")), _model.PadCaption(null)]);
        foreach (var code in codes)
        {
            var (told, free) = (writer.Logits(0).ToArray(), writer.Logits(1).ToArray());
            var guided = told.Zip(free, (c, z) => z + scale * (c - z)).ToList();
            Assert.Equal(guided.IndexOf(guided.Max()), code);
            writer.Read([code, code]);
        }
    }

    [Fact]
    public void Upper_rows_are_kept_and_the_rest_is_drawn_with_and_without_a_caption()
    {
        var pixels = Pixels(3);
        var known = new TorchTextToImageDecoder(_model).EncodePicture(pixels);
        int[] Of(ImageGenerationOptions options, string? text) => [.. Generator.Generate(
            [new ImagePrompt { Text = text, Pixels = pixels }], options, cancellationToken: Token)[0].Codes];

        foreach (var text in (string?[])[null, "red"])
        {
            var half = Of(s_options, text);
            Assert.Equal(known[..8], half[..8]);
            Assert.NotEqual(known[8..], half[8..]);
            Assert.Equal(known[..12], Of(s_options with { KeptRows = 0.75 }, text)[..12]);
            Assert.Equal(known, Of(s_options with { KeptRows = 1 }, text));
        }

        Assert.NotEqual(Of(s_options, null), Of(s_options, "red"));
        Assert.NotEqual(known[..8], Of(s_options with { KeptRows = 0 }, null)[..8]);
    }

    [Fact]
    public void Any_mask_is_kept_and_a_variation_draws_a_share_anew()
    {
        var pixels = Pixels(4);
        var known = new TorchTextToImageDecoder(_model).EncodePicture(pixels);
        var kept = Checkered();
        var masked = Generator.Generate([new ImagePrompt { Pixels = pixels, Kept = kept }], s_options, cancellationToken: Token)[0].Codes;
        Assert.All(kept.Index().Where(place => place.Item), place => Assert.Equal(known[place.Index], masked[place.Index]));
        Assert.NotEqual(known, masked);

        var varied = Enumerable.Range(0, 20).Select(seed => Changed(new ImagePrompt { Pixels = pixels, Seed = seed }, 0.25)).ToList();
        Assert.All(varied, places => Assert.InRange(places.Count, 0, 4));
        Assert.True(varied.Max(places => places.Count) >= 3);
        Assert.True(varied.SelectMany(places => places).Distinct().Count() > 10); // the seed decides on the places
        Assert.Empty(Changed(new ImagePrompt { Pixels = pixels }, 0));

        List<int> Changed(ImagePrompt prompt, double share)
        {
            var codes = Generator.Generate([prompt], s_options with { RedrawnShare = share }, cancellationToken: Token)[0].Codes;
            return [.. Enumerable.Range(0, 16).Where(place => codes[place] != known[place])];
        }
    }

    [Fact]
    public void Sweeps_prefer_codes_that_kept_ones_behind_them_fit_to()
    {
        float[][] logits = [[0, 3], [3, 0], [0, 0]]; // a code is mostly followed by the other one
        var generator = new TextToImageGenerator(new MarkovPictures(logits), tokenizer: null);
        float[] pixels = [.. Enumerable.Repeat(new[] { 0, 0.1f, 0, 0 }, 3).SelectMany(plane => plane)]; // codes 0, 1, 0, 0
        var prompts = Enumerable.Range(0, 1000).Select(seed =>
            new ImagePrompt { Pixels = pixels, Kept = [false, true, false, false], Seed = seed }).ToList();
        var made = generator.Generate(prompts, new() { BatchSize = 1000 }, cancellationToken: Token);

        Assert.All(made, picture => Assert.Equal(1, picture.Codes[1]));
        var fitting = made.Count(picture => picture.Codes[0] == 0) / 1000.0;
        Assert.InRange(fitting, 0.8, 0.95); // drawn without a look at what is kept it would be 0.5; by Bayes' rule 0.953
        Assert.InRange(made.Count(picture => picture.Codes[2] == 0) / 1000.0, 0.92, 0.98);
    }

    [Fact]
    public void A_share_of_logits_is_left_out_as_dalle_pytorch_counts_it()
    {
        Assert.Equal(99, new ImageGenerationOptions { FilterThreshold = 0.9 }.Sampling(1000).TopK);
        Assert.Equal(1, new ImageGenerationOptions { FilterThreshold = 0.999 }.Sampling(100).TopK);
        Assert.Equal(1000, new ImageGenerationOptions { FilterThreshold = 0 }.Sampling(1000).TopK);
        Assert.Equal(7, new ImageGenerationOptions { TopK = 7 }.Sampling(1000).TopK);

        var greedy = Generator.Generate(["red"], s_options with { Sample = false }, cancellationToken: Token)[0].Codes;
        var single = Generator.Generate(["red"], s_options with { TopK = 0, FilterThreshold = 0.99 }, cancellationToken: Token)[0].Codes;
        Assert.Equal(greedy, single); // one code is left to choose from
    }

    [Fact]
    public void Progress_counts_codes_of_all_passes_and_a_cancelled_call_ends()
    {
        var told = new List<ImageGenerationProgress>();
        ImagePrompt[] prompts = ["red", "blue", new ImagePrompt { Pixels = Pixels(1), Kept = Checkered() }];
        Generator.Generate(prompts, s_options with { BatchSize = 2 }, new Callback(told.Add), Token);
        Assert.Equal((16 * 5, 16 * 5), (told[^1].Codes, told[^1].TotalCodes)); // two sweeps of the last one
        Assert.Equal(16 + 16 * 3, told.Count);

        using var source = new CancellationTokenSource();
        var calls = 0;
        Assert.Throws<OperationCanceledException>(() => Generator.Generate(
            prompts, s_options, new Callback(_ => { if (++calls == 5) source.Cancel(); }), source.Token));
        Assert.Equal(5, calls);
    }

    [Fact]
    public void What_is_not_usable_is_refused_with_the_number_of_the_prompt()
    {
        Refuses(new ImagePrompt { Pixels = [1, 2, 3] }, "192");
        Refuses(new ImagePrompt { Pixels = [.. Pixels(1)[1..], 2] }, "from 0 to 1");
        Refuses(new ImagePrompt { Kept = new bool[16] }, "no");
        Refuses(new ImagePrompt { Pixels = Pixels(1), Kept = new bool[3] }, "3 values");
        Assert.Contains("tokenizer", Assert.Throws<ArgumentException>(
            () => new TextToImageGenerator(_model, null).Generate(["red"], cancellationToken: Stop)).Message, StringComparison.Ordinal);
        Assert.Contains("GuidanceScale", Assert.Throws<ArgumentException>(
            () => Generator.Generate([], new() { GuidanceScale = 0.5 }, cancellationToken: Stop)).Message, StringComparison.Ordinal);
        Assert.Contains("FilterThreshold", Assert.Throws<ArgumentException>(
            () => new ImageGenerationOptions { FilterThreshold = 1 }.Check()).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new ImageGenerationOptions { FilterThreshold = 0.5, TopK = 9 }.Check());
        var generator = Generator;
        _model.train();
        Assert.Contains(
            "eval", Assert.Throws<InvalidOperationException>(() => generator.Generate(["red"], cancellationToken: Stop)).Message,
            StringComparison.Ordinal);

        void Refuses(ImagePrompt prompt, string reason)
        {
            var error = Assert.Throws<ArgumentException>(() => Generator.Generate(["red", prompt], s_options));
            Assert.Contains("Prompt 1", error.Message, StringComparison.Ordinal);
            Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        }
    }

    internal static float[] Pixels(int seed)
    {
        var random = new SplitMix64((ulong)seed);
        return [.. Enumerable.Range(0, 3 * 8 * 8).Select(_ => (float)random.NextDouble())];
    }

    private static bool[] Checkered() => [.. Enumerable.Range(0, 16).Select(place => (place + place / 4) % 2 == 1)];

    private sealed class Callback(Action<ImageGenerationProgress> report) : IProgress<ImageGenerationProgress>
    {
        public void Report(ImageGenerationProgress value) => report(value);
    }
}
