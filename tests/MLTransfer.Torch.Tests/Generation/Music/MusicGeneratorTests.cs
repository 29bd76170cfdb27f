using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Generation.Music;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.MusicGen;
using MLTransfer.Torch.Sounds;
using MLTransfer.Torch.Tests.Networks.MusicGen;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Generation.Music;

public sealed class MusicGeneratorTests : IDisposable
{
    private static readonly MusicGenerationOptions s_options = new() { MaximumFrames = 12, Seed = 5, TopK = 20, RepetitionPenalty = 1.1 };

    private readonly TinyMusic _music = new(TinyMusic.Mono);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _music.Dispose();

    [Theory]
    [InlineData("float32")]
    [InlineData("bfloat16")]
    [InlineData("int8")]
    [InlineData("int4")]
    public void A_prompt_gets_the_same_codes_alone_and_beside_others(string precision)
    {
        using var model = In(precision);
        var generator = new MusicGenerator(model, _music.Tokenizer);
        MusicPrompt[] prompts =
        [
            "a slow march for drums", "soft piano", new MusicPrompt(), new MusicPrompt { Text = "strings", Sound = Noise(1500) },
            new MusicPrompt { Sound = Noise(1500) },
        ];
        var together = generator.Generate(prompts, s_options, cancellationToken: Token);
        Assert.Equal(
            together.Select(music => music.Codes),
            generator.Generate(prompts, s_options with { BatchSize = 100 }, cancellationToken: Token).Select(music => music.Codes));
        foreach (var (i, prompt) in prompts.Index())
        {
            var alone = generator.Generate([prompt], s_options with { BatchSize = 1 }, cancellationToken: Token)[0];
            Assert.Equal(alone.Codes, together[i].Codes);
            Assert.Equal(12 + alone.PromptFrames, alone.Codes[0].Length);
            Assert.Equal(alone.Codes[0].Length * model.Codec.HopLength, alone.Sound.Frames);
        }
    }

    [Fact]
    public void The_seed_decides_and_that_of_a_prompt_before_that_of_the_options()
    {
        var generator = new MusicGenerator(_music.Model, _music.Tokenizer);
        IReadOnlyList<int[]> Of(long seed, long? own = null) => generator.Generate(
            [new MusicPrompt { Text = "piano", Seed = own }], s_options with { Seed = seed }, cancellationToken: Token)[0].Codes;
        Assert.Equal(Of(1), Of(1));
        Assert.NotEqual(Of(1), Of(2));
        Assert.Equal(Of(2), Of(1, own: 2));
    }

    [Theory]
    [InlineData("float32")]
    [InlineData("bfloat16")]
    [InlineData("int8")]
    [InlineData("int4")]
    public void Every_column_is_a_step_of_row_kernels(string precision)
    {
        using var model = In(precision);
        new MusicGenerator(model, _music.Tokenizer).Generate(["piano", "drums"], s_options, cancellationToken: Token);
        Assert.Equal(12 + model.Pattern.Depth - 1, model.Decoder.FastSteps);
    }

    [Theory]
    [InlineData("bfloat16", 0.05)]
    [InlineData("int8", 0.05)]
    public void Narrow_weights_give_nearly_the_same_logits(string precision, double tolerance)
    {
        using var model = In(precision);
        var ids = _music.Tokenizer.Encode("a slow march for drums and brass");
        using var exact = new MusicBatch(_music.Model, [ids], 3);
        using var narrow = new MusicBatch(model, [ids], 3);
        int[][] columns = [.. Enumerable.Range(0, 4).Select(k => (int[])[64, 3 + k, 10 + k])];
        exact.Begin([columns], 3);
        narrow.Begin([columns], 3);
        for (var codebook = 0; codebook < 4; codebook++)
        {
            using var scope = NewDisposeScope();
            var (expected, actual) = (tensor(exact.Logits(0, codebook).ToArray()), tensor(narrow.Logits(0, codebook).ToArray()));
            Assert.True(TinyMusic.Distance(actual, expected) < tolerance * expected.abs().max().item<float>());
        }
    }

    [Fact]
    public void Music_longer_than_the_window_goes_on_from_its_last_frames()
    {
        var options = s_options with { Sample = false, MaximumFrames = 20, WindowSeconds = 0.24, KeptSeconds = 0.1 }; // 12 and 5 frames
        var caption = _music.Tokenizer.Encode("soft piano");
        var all = Codes(options, prompt: [[], [], [], []]);
        Assert.All(all, codebook => Assert.Equal(20, codebook.Length));
        var first = Codes(options with { MaximumFrames = 12 }, [[], [], [], []]);
        var second = Codes(options with { MaximumFrames = 7 }, [.. first.Select(codebook => codebook[^5..])]);
        Assert.Equal(first, all.Select(codebook => codebook[..12]));
        Assert.Equal(second.Select(codebook => codebook[5..]), all.Select(codebook => codebook[12..19]));

        // A prompt that fills the window is shortened likewise, and stays whole in what is returned.
        var prompted = Codes(options with { MaximumFrames = 7 }, first);
        Assert.Equal(first, prompted.Select(codebook => codebook[..12]));
        Assert.Equal(second.Select(codebook => codebook[5..]), prompted.Select(codebook => codebook[12..]));
        Assert.All(Codes(options with { MaximumFrames = 1 }, [[], [], [], []]), codebook => Assert.Single(codebook));

        int[][] Codes(MusicGenerationOptions given, int[][] prompt)
        {
            var row = new MusicRow(0, caption, prompt, 1);
            new MusicSearch(new TorchMusicDecoder(_music.Model), given, static () => { }, Token).Run([row]);
            return row.Codes;
        }
    }

    [Fact]
    public void A_window_is_no_longer_than_the_context()
    {
        var options = s_options with { MaximumFrames = 150, WindowSeconds = 30, KeptSeconds = 1.2 }; // 150 frames, context 128
        var music = new MusicGenerator(_music.Model, _music.Tokenizer).Generate(["piano"], options, cancellationToken: Token)[0];
        Assert.All(music.Codes, codebook => Assert.Equal(150, codebook.Length));
    }

    [Fact]
    public void Progress_tells_every_column_and_cancelling_ends_the_work()
    {
        var generator = new MusicGenerator(_music.Model, _music.Tokenizer);
        var told = new List<MusicGenerationProgress>();
        generator.Generate(["piano", "drums", "brass"], s_options with { BatchSize = 2 }, new Callback(told.Add), Token);
        Assert.Equal((12 + 3) * 2, told.Count);
        Assert.Equal((12 + 3) * 3, told[^1].TotalFrames);
        Assert.Equal(told[^1].TotalFrames, told[^1].Frames);

        using var source = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() => generator.Generate(
            ["piano"], s_options, new Callback(p => { if (p.Frames == 5) source.Cancel(); }), source.Token));
    }

    [Fact]
    public async Task Several_threads_may_generate_at_once()
    {
        using var model = In("int8");
        var generator = new MusicGenerator(model, _music.Tokenizer);
        string[] captions = ["piano", "a slow march", "strings", "drums"];
        IReadOnlyList<int[]> Of(string caption) => generator.Generate([caption], s_options, cancellationToken: Token)[0].Codes;
        var together = await Task.WhenAll(captions.Select(caption => Task.Run(() => Of(caption), Token)));
        Assert.Equal(captions.Select(Of), together);
    }

    [Fact]
    public void A_model_that_is_disposed_meanwhile_ends_the_call_and_refuses_the_next()
    {
        using var music = new TinyMusic(TinyMusic.Mono);
        var generator = new MusicGenerator(music.Model, music.Tokenizer);
        var made = generator.Generate(["piano"], s_options, new Callback(_ => music.Model.Dispose()), Token);
        Assert.Equal(12, made[0].Codes[0].Length);
        Assert.Throws<ObjectDisposedException>(() => generator.Generate(["piano"], s_options, cancellationToken: Token));
    }

    [Fact]
    public void Bad_prompts_are_refused_by_their_number()
    {
        var generator = new MusicGenerator(_music.Model, _music.Tokenizer);
        var samples = new float[1000];
        samples[7] = float.NaN;
        Refuses(new Waveform(samples, 16000), "NaN");
        Refuses(new Waveform(new float[1000], 8000), "Resample");
        Refuses(new Waveform([], 16000), "no samples");
        Refuses(new Waveform(new float[1000], 16000, 2), "2 channels");
        Assert.Contains("tokenizer", Assert.Throws<ArgumentException>(
            () => new MusicGenerator(_music.Model, null).Generate(["piano"], s_options, cancellationToken: Token)).Message,
            StringComparison.Ordinal);
        _music.Model.train();
        Assert.Throws<InvalidOperationException>(() => generator.Generate(["piano"], s_options, cancellationToken: Token));

        void Refuses(Waveform sound, string reason)
        {
            var error = Assert.Throws<ArgumentException>(() => generator.Generate(
                [new MusicPrompt(), new MusicPrompt { Sound = sound }], s_options, cancellationToken: Token));
            Assert.Contains("Prompt 1", error.Message, StringComparison.Ordinal);
            Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Options_of_a_folder_are_those_of_its_file()
    {
        var options = MusicGenerationOptions.FromPretrained(_music.Folder);
        Assert.Equal(new MusicGenerationOptions { GuidanceScale = 3, Sample = true, MaximumFrames = 56 }, options);
        using var folder = new TemporaryFolder();
        File.Copy(Path.Combine(_music.Folder, "config.json"), folder["config.json"]);
        File.WriteAllText(folder["generation_config.json"], """{"guidance_scale": 2.5, "top_k": 40, "temperature": 0.7}""");
        Assert.Equal(
            new MusicGenerationOptions { GuidanceScale = 2.5, Sample = false, TopK = 40, Temperature = 0.7 },
            MusicGenerationOptions.FromPretrained(folder.Path));
        foreach (var entry in (string[])["num_beams", "penalty_alpha"])
        {
            File.WriteAllText(folder["generation_config.json"], $$"""{"{{entry}}": 4}""");
            Assert.Contains(entry, Assert.Throws<NotSupportedException>(() => MusicGenerationOptions.FromPretrained(folder.Path)).Message,
                StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(nameof(MusicGenerationOptions.MaximumSeconds))]
    [InlineData(nameof(MusicGenerationOptions.MaximumFrames))]
    [InlineData(nameof(MusicGenerationOptions.GuidanceScale))]
    [InlineData(nameof(MusicGenerationOptions.Temperature))]
    [InlineData(nameof(MusicGenerationOptions.TopK))]
    [InlineData(nameof(MusicGenerationOptions.TopP))]
    [InlineData(nameof(MusicGenerationOptions.MinP))]
    [InlineData(nameof(MusicGenerationOptions.TypicalP))]
    [InlineData(nameof(MusicGenerationOptions.RepetitionPenalty))]
    [InlineData(nameof(MusicGenerationOptions.NoRepeatNgramSize))]
    [InlineData(nameof(MusicGenerationOptions.WindowSeconds))]
    [InlineData(nameof(MusicGenerationOptions.KeptSeconds))]
    [InlineData(nameof(MusicGenerationOptions.BatchSize))]
    public void An_option_out_of_range_is_named(string name)
    {
        var options = new MusicGenerationOptions();
        var property = typeof(MusicGenerationOptions).GetProperty(name)!;
        var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        property.SetValue(options, Convert.ChangeType(-1, type, System.Globalization.CultureInfo.InvariantCulture));
        Assert.Contains(name, Assert.Throws<ArgumentException>(options.Check).Message, StringComparison.Ordinal);
    }

    private MusicGenModel In(string precision)
    {
        var model = precision == "bfloat16" ? _music.Model.ConvertTo(ScalarType.BFloat16) : _music.Model.ConvertTo(ScalarType.Float32);
        if (Enum.TryParse<QuantizationFormat>(precision, ignoreCase: true, out var format))
            WeightQuantization.Quantize(model, format);
        return model;
    }

    private static Waveform Noise(int samples) =>
        new([.. Enumerable.Range(0, samples).Select(i => 0.3f * MathF.Sin(i * 0.05f) + 0.1f * MathF.Sin(i * i * 0.001f))], 16000);

    private sealed class Callback(Action<MusicGenerationProgress> report) : IProgress<MusicGenerationProgress>
    {
        public void Report(MusicGenerationProgress value) => report(value);
    }
}
