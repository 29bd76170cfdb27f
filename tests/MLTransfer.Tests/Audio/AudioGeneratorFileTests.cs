using System.IO.Compression;
using MLTransfer.Tests.Persistence;
using MLTransfer.Torch.Sounds;
using Microsoft.ML;
using Xunit;

namespace MLTransfer.Tests.Audio;

public sealed class AudioGeneratorFileTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();
    private readonly IDataView _rows;

    public AudioGeneratorFileTests() => _rows = _ml.Data.LoadFromEnumerable(TinyAudio.Tunes());

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Another_process_that_calls_only_ML_NET_makes_the_same_samples_in_a_chain()
    {
        Directory.CreateDirectory(_folder["sounds"]);
        var chain = _ml.Transforms.CopyColumns("Told", "Opening")
            .Append(_ml.Transforms.FineTuneAudioGenerator(
                "Made", "Told", "Sound", TinyAudio.MusicOptions(o => (o.Seed, o.CaptionColumnName) = (7, "Told"))))
            .Append(_ml.Transforms.SaveAudio("File", _folder["sounds"], "Made", WaveEncoding.Float32));
        using var model = chain.Fit(_rows);
        _ml.Model.Save(model, null, _folder["model.zip"]);
        string[] captions = ["piano", "fast drums"];
        var expected = TinyAudio.Samples(
            model.Transform(_ml.Data.LoadFromEnumerable(captions.Select(text => new TuneRow { Opening = text }))));

        var (files, _) = await LoadingProcess.RunAsync(_folder["model.zip"], "File", captions);

        Assert.Equal(expected, files.Select(file => WaveformFile.Read(_folder[$"sounds/{file}"]).Samples.ToArray()));
    }

    [Fact]
    public void A_saved_generator_keeps_its_options_card_and_samples_also_twice()
    {
        using var model = _ml.Transforms.FineTuneAudioGenerator(
            "Made", "Caption", "Sound", TinyAudio.MusicOptions(o => o.ConvertSounds = true)).Fit(_rows);
        var expected = TinyAudio.Samples(model.Transform(_rows));
        _ml.Model.Save(model, _rows.Schema, _folder["model.zip"]);
        using var loaded = Load("model.zip");
        _ml.Model.Save(loaded, _rows.Schema, _folder["again.zip"]);
        using var again = Load("again.zip");

        Assert.Equal(expected, TinyAudio.Samples(loaded.Transform(_rows)));
        Assert.Equal(expected, TinyAudio.Samples(again.Transform(_rows)));
        Assert.Equal((model.Seed, 3, true), (again.Seed, again.GenerationBatchSize, again.Generation.ConvertSounds));
        Assert.Null(loaded.TrainingResult);
        _ml.Generation.SaveModelFolder(again, _folder["folder"]);
        var card = File.ReadAllText(_folder["folder/README.md"]);
        Assert.Contains("musicgen-small-tiny", card, StringComparison.Ordinal);
        Assert.Contains("text-to-audio", card, StringComparison.Ordinal);
        Assert.Contains("| sounds | 6 |", card, StringComparison.Ordinal);
        using var folder = _ml.Transforms.GenerateAudio(
            "Made", "Caption", _folder["folder"], new() { Music = TinyAudio.Short, Seed = model.Seed }).Fit(_rows);
        Assert.Equal(expected, TinyAudio.Samples(folder.Transform(_rows)));
    }

    [Fact]
    public void Adapters_alone_make_a_small_file_that_finds_its_base()
    {
        using var model = _ml.Transforms.FineTuneAudioGenerator(
            "Made", "Caption", "Sound", TinyAudio.MusicOptions(o => o.SaveAdapterOnly = true)).Fit(_rows);
        using var whole = _ml.Transforms.FineTuneAudioGenerator("Made", "Caption", "Sound", TinyAudio.MusicOptions()).Fit(_rows);
        _ml.Model.Save(model, _rows.Schema, _folder["adapter.zip"]);
        _ml.Model.Save(whole, _rows.Schema, _folder["whole.zip"]);
        _ml.Generation.SaveModelFolder(model, _folder["folder"]);
        using var loaded = Load("adapter.zip");
        using var folder = _ml.Generation.LoadAudioGenerator(_folder["folder"]);

        Assert.InRange(new FileInfo(_folder["adapter.zip"]).Length, 1, new FileInfo(_folder["whole.zip"]).Length / 4);
        Assert.Equal(TinyAudio.Samples(model.Transform(_rows)), TinyAudio.Samples(loaded.Transform(_rows)));
        Assert.Equal(whole.Model.Network.ComputeFingerprint(), folder.Network.ComputeFingerprint());
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("model.safetensors")]
    [InlineData("tokenizer.json")]
    public void A_missing_file_is_named(string name)
    {
        using (var model = _ml.Transforms.GenerateAudio("Made", "Caption", TinyAudio.Music).Fit(_rows))
            _ml.Model.Save(model, _rows.Schema, _folder["model.zip"]);
        using (var zip = ZipFile.Open(_folder["model.zip"], ZipArchiveMode.Update))
            zip.Entries.Single(entry => entry.Name == name).Delete();

        Assert.Contains(name, Assert.ThrowsAny<Exception>(() => Load("model.zip")).ToString(), StringComparison.Ordinal);
    }

    private AudioGeneratorTransformer Load(string zip) => new MLContext(99).Model.Load(_folder[zip], out _) switch
    {
        AudioGeneratorTransformer transformer => transformer,
        var chain => (AudioGeneratorTransformer)((IEnumerable<ITransformer>)chain).Last(),
    };
}
