using MLTransfer.Onnx;
using MLTransfer.Tests.Persistence;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Generation.Music;
using MLTransfer.Torch.Sounds;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MLTransfer.Tests.Audio;

/// <summary>Audio generators as ONNX files, which ONNX Runtime runs without libtorch.</summary>
public sealed class OnnxAudioGeneratorTests : IDisposable
{
    private static readonly string[] s_texts = ["hello there", "piano", "a slow march"];
    private readonly MLContext _context = new(seed: 1);
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Music_is_the_engine_s_for_the_same_seeds()
    {
        var options = new MusicGenerationOptions { MaximumFrames = 9, TopK = 20 };
        using var transformer = Generator("music/musicgen-small-tiny", new() { Music = options, Seed = 5 });
        var files = _context.Generation.ExportToOnnx(transformer, _folder["export"], cancellationToken: Token);
        Assert.Contains(files, file => file.Name == "decoder_model_merged.onnx" && file.LargestDifference < 1e-3);

        using var onnx = _context.Generation.LoadOnnxAudio(_folder["export"], options: new() { Music = options, Seed = 5 });

        AssertClose(transformer, onnx, Data());
        Assert.Equal(transformer.GetOutputSchema(Data().Schema)["Sound"].Type, onnx.GetOutputSchema(Data().Schema)["Sound"].Type);
    }

    [Fact]
    public void Music_goes_on_from_sounds_and_comes_from_nothing()
    {
        using var transformer = Generator("music/musicgen-small-tiny", new());
        _context.Generation.ExportToOnnx(transformer, _folder["export"], new() { Check = false }, Token);
        var options = new OnnxAudioGeneratorOptions { Music = new() { MaximumFrames = 4 } };
        var data = _context.Data.LoadFromEnumerable([new SoundRow { Sound = Tones.Create(300) }]);

        using var after = _context.Generation.LoadOnnxAudio(_folder["export"], "Made", "Sound", options);
        using var free = _context.Generation.LoadOnnxAudio(_folder["export"], "Made", null, options);

        var hop = free.Transform(data).GetColumn<Waveform>("Made").Single().Frames / 4;
        Assert.Equal((4000 + hop - 1) / hop + 4, after.Transform(data).GetColumn<Waveform>("Made").Single().Frames / hop);
    }

    [Fact]
    public void Speech_without_noise_is_the_engine_s()
    {
        using var transformer = Generator("speech/vits-tiny-speakers", new()
        {
            Speech = new SpeechOptions { NoiseScale = 0, DurationNoiseScale = 0, SpeakingRate = 0.8, Speaker = 1 },
        });
        _context.Generation.ExportToOnnx(transformer, _folder["export"], cancellationToken: Token);

        using var onnx = _context.Generation.LoadOnnxAudio(_folder["export"], options: new() { Speech = new() { Speaker = 1 } });

        AssertClose(transformer, onnx, Data());
    }

    [Fact]
    public void Rows_say_who_speaks_by_name_or_number_also_in_a_loaded_file()
    {
        var folder = _folder["voice"];
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.GetFiles(RepositoryFiles.Data("speech/vits-tiny-speakers")))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        File.WriteAllText(Path.Combine(folder, "speakers.json"), """{ "Ann": 2 }""");
        var silent = new SpeechOptions { NoiseScale = 0, DurationNoiseScale = 0 };
        var data = _context.Data.LoadFromEnumerable(
            new[] { "Ann", "0", "2" }.Select(speaker => new Line { Text = "hello", Opening = speaker }));
        using var transformer = _context.Transforms.GenerateAudio(
            "Sound", "Text", folder, new() { Speech = silent, SpeakerColumnName = "Opening" }).Fit(data);
        _context.Generation.ExportToOnnx(transformer, _folder["export"], cancellationToken: Token);
        _context.Generation.ExportToOnnx(transformer, _folder["export"], cancellationToken: Token); // an export is replaced
        using var onnx = _context.Generation.LoadOnnxAudio(_folder["export"], options: new() { SpeakerColumnName = "Opening" });
        _context.Model.Save(onnx, data.Schema, _folder["model.zip"]);

        using var loaded = (OnnxAudioGeneratorTransformer)_context.Model.Load(_folder["model.zip"], out _);

        AssertClose(transformer, loaded, data);
        var sounds = loaded.Transform(data).GetColumn<Waveform>("Sound").ToList();
        Assert.Equal(sounds[0].Samples, sounds[2].Samples);
        Assert.False(sounds[0].Samples.SequenceEqual(sounds[1].Samples));
        var strange = _context.Data.LoadFromEnumerable([new Line { Text = "hello", Opening = "Bob" }]);
        Assert.Contains("'Bob'", Assert.Throws<InvalidOperationException>(
            () => loaded.Transform(strange).GetColumn<Waveform>("Sound").ToList()).Message);
    }

    [Theory]
    [InlineData("music/musicgen-small-tiny")]
    [InlineData("speech/vits-tiny-stochastic")]
    public async Task Another_process_makes_the_same_sounds_without_loading_libtorch(string name)
    {
        using (var transformer = Generator(name, new()))
            _context.Generation.ExportToOnnx(transformer, _folder["export"], new() { Check = !name.StartsWith('m') }, Token);
        var music = name.StartsWith('m') ? new MusicGenerationOptions { MaximumFrames = 5 } : null;
        var data = _context.Data.LoadFromEnumerable(s_texts.Select(text => new Line { Opening = text }));
        using var onnx = _context.Generation.LoadOnnxAudio(_folder["export"], "Sound", "Opening", new() { Music = music });
        var chain = new TransformerChain<ITransformer>(onnx, _context.Transforms.EncodeAudio("Bytes", "Sound").Fit(onnx.Transform(data)));
        _context.Model.Save(chain, data.Schema, _folder["model.zip"]);
        Directory.Delete(_folder["export"], recursive: true);

        var (sounds, modules) = await LoadingProcess.RunForBytesAsync(_folder["model.zip"], "Bytes", s_texts);

        Assert.Equal(chain.Transform(data).GetColumn<byte[]>("Bytes"), sounds);
        Assert.Contains(modules, module => module.Contains("onnxruntime", StringComparison.Ordinal));
        Assert.DoesNotContain(modules, LoadingProcess.IsLibtorch);
    }

    [Fact]
    public void What_is_not_usable_is_refused_by_name()
    {
        using var transformer = Generator("speech/vits-tiny-stochastic", new());
        AssertRefused("Precision", () => _context.Generation.ExportToOnnx(
            transformer, _folder["export"], new() { Precision = OnnxPrecision.Int8 }, Token));
        _context.Generation.ExportToOnnx(transformer, _folder["export"], cancellationToken: Token);
        AssertRefused("Music", () => Load(new() { Music = new() }));
        AssertRefused("NoiseScale", () => Load(new() { Speech = new() { NoiseScale = 1 } }));
        AssertRefused("Seed", () => Load(new() { Speech = new() { Seed = 1 } }));
        AssertRefused("GenerationBatchSize", () => Load(new() { GenerationBatchSize = 0 }));
        AssertRefused("inputColumnName", () => _context.Generation.LoadOnnxAudio(_folder["export"], "Sound", null));
        Assert.Contains("absent", Assert.Throws<DirectoryNotFoundException>(
            () => _context.Generation.LoadOnnxAudio(_folder["absent"])).Message);
        File.WriteAllText(_folder["export/config.json"], """{ "model_type": "gpt2" }""");
        Assert.Contains("gpt2", Assert.Throws<NotSupportedException>(() => Load(new())).Message);

        void AssertRefused(string named, Func<object> call) => Assert.Contains(named, Assert.ThrowsAny<ArgumentException>(call).Message);

        OnnxAudioGeneratorTransformer Load(OnnxAudioGeneratorOptions options) =>
            _context.Generation.LoadOnnxAudio(_folder["export"], options: options);
    }

    private static Line[] Lines() => [.. s_texts.Select(text => new Line { Text = text })];

    private IDataView Data() => _context.Data.LoadFromEnumerable(Lines());

    private AudioGeneratorTransformer Generator(string name, GenerateAudioOptions options) =>
        _context.Transforms.GenerateAudio("Sound", "Text", RepositoryFiles.Data(name), options).Fit(Data());

    private static void AssertClose(
        AudioGeneratorTransformer expected, OnnxAudioGeneratorTransformer found, IDataView data)
    {
        var pairs = expected.Transform(data).GetColumn<Waveform>("Sound").Zip(found.Transform(data).GetColumn<Waveform>("Sound"));
        foreach (var (wanted, sound) in pairs)
        {
            Assert.Equal((wanted.Frames, wanted.SampleRate, wanted.Channels), (sound.Frames, sound.SampleRate, sound.Channels));
            var largest = 0f;
            for (var i = 0; i < wanted.Samples.Length; i++)
                largest = Math.Max(largest, Math.Abs(wanted.Samples[i] - sound.Samples[i]));
            Assert.InRange(largest, 0, 1e-3f);
        }
    }

    private sealed class Line
    {
        public string? Text { get; set; }

        public string? Opening { get; set; }
    }
}
