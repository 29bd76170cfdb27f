using MLTransfer.Audio.Generators;
using MLTransfer.Torch.Generation.Music;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Audio;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MLTransfer.Tests.Audio;

/// <summary>A MusicGen is fine-tuned in a pipeline and makes music there.</summary>
public sealed class MusicFineTuningTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _messages = [];

    public MusicFineTuningTests() => _ml.Log += (_, message) => _messages.Add(message.Message);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Music_learns_captions_by_adapters_that_are_merged_and_only_the_decoder_changes()
    {
        var data = Load(TinyAudio.Tunes());
        using var tuned = _ml.Transforms.FineTuneAudioGenerator("Made", "Caption", "Sound", TinyAudio.MusicOptions()).Fit(data);

        var result = Assert.IsType<MusicTrainingResult>(tuned.TrainingResult);
        Assert.Equal(4, result.Steps);
        Assert.NotNull(result.ValidationLoss);
        Assert.True(result.History.Where(p => p.Loss is not null).Last().Loss < result.History.First(p => p.Loss is not null).Loss);
        var model = Assert.IsType<MusicGenerationModel>(_ml.Generation.GetAudioGenerator(tuned));
        Assert.Null(model.Network.Lora);
        using var before = (MusicGenerationModel)_ml.Generation.LoadAudioGenerator(TinyAudio.Music);
        Assert.Equal(before.Network.Codec.ComputeFingerprint(), model.Network.Codec.ComputeFingerprint());
        Assert.Equal(before.Network.TextEncoder.ComputeFingerprint(), model.Network.TextEncoder.ComputeFingerprint());
        Assert.NotEqual(before.Network.Decoder.ComputeFingerprint(), model.Network.Decoder.ComputeFingerprint());
        Assert.Contains(_messages, message => message.Contains("6 sounds of", StringComparison.Ordinal));
        Assert.Contains(_messages, message => message.Contains("5 sounds, 1 for evaluation, by adapters", StringComparison.Ordinal));

        var made = tuned.Transform(data);
        Assert.Equal(WaveformDataViewType.Of(16000, 1), made.Schema["Made"].Type);
        Assert.All(TinyAudio.Samples(made), samples => Assert.Equal(6 * 320, samples.Length));
    }

    [Fact]
    public void Rows_are_made_alike_alone_together_and_filtered_and_rows_of_one_caption_differ()
    {
        var rows = TinyAudio.Tunes(5);
        rows.ForEach(row => row.Caption = "piano");
        var data = Load(rows);
        using var model = Generate(new() { Music = TinyAudio.Short, GenerationBatchSize = 2 }, data);
        using var alone = Generate(new() { Music = TinyAudio.Short, GenerationBatchSize = 1 }, data);
        var all = TinyAudio.Samples(model.Transform(data));

        Assert.Equal(5, all.Distinct(new Same()).Count());
        Assert.Equal(all, TinyAudio.Samples(alone.Transform(data)));
        Assert.Equal(all[3..], TinyAudio.Samples(model.Transform(_ml.Data.FilterRowsByColumn(
            _ml.Transforms.Conversion.ConvertType("Number", outputKind: DataKind.Single).Fit(data).Transform(data), "Number", 3))));
        Parallel.For(0, 3, _ => Assert.Equal(all, TinyAudio.Samples(model.Transform(data))));

        using var seeded = Generate(new() { Music = TinyAudio.Short, SeedColumnName = "Number" }, data);
        var forward = TinyAudio.Samples(seeded.Transform(data));
        var backward = TinyAudio.Samples(seeded.Transform(Load([.. rows.AsEnumerable().Reverse()])));
        Assert.Equal(forward, backward.AsEnumerable().Reverse()); // the seed decides, wherever the row is
        Assert.NotEqual(all, forward);
    }

    [Fact]
    public void Music_goes_on_from_sounds_with_or_without_captions_and_comes_from_nothing()
    {
        var data = Load(TinyAudio.Tunes(2));
        using var plain = _ml.Transforms.GenerateAudio("Made", "Start", TinyAudio.Music, new() { Music = TinyAudio.Short }).Fit(data);
        using var told = _ml.Transforms.GenerateAudio(
            "Made", "Start", TinyAudio.Music, new() { Music = TinyAudio.Short, CaptionColumnName = "Caption" }).Fit(data);
        using var nothing = _ml.Transforms.GenerateAudio("Made", null, TinyAudio.Music, new() { Music = TinyAudio.Short }).Fit(data);

        var (without, with) = (TinyAudio.Samples(plain.Transform(data)), TinyAudio.Samples(told.Transform(data)));
        Assert.All(without.Concat(with), samples => Assert.Equal(8 * 320, samples.Length)); // the two frames of the prompt first
        Assert.NotEqual(without, with);
        Assert.Equal(2, TinyAudio.Samples(nothing.Transform(data)).Distinct(new Same()).Count());
        var direct = ((MusicGenerationModel)plain.Model).Generate([new MusicPrompt { Text = "piano", Seed = 5 }], TinyAudio.Short);
        Assert.Equal(6 * 320, direct[0].Sound.Frames);
    }

    [Fact]
    public void Music_without_captions_is_learned_and_all_weights_are_on_request()
    {
        var rows = TinyAudio.Tunes(4);
        rows[1].Caption = "";
        var options = TinyAudio.MusicOptions(o => (o.AllWeights, o.ValidationFraction) = (true, 0), t => t with { MaximumSteps = 1 });
        var data = Load(rows);
        using var tuned = _ml.Transforms.FineTuneAudioGenerator("Made", null, "Sound", options).Fit(data);

        Assert.Null(((MusicTrainingResult)tuned.TrainingResult!).ValidationLoss);
        Assert.Equal(4, TinyAudio.Samples(tuned.Transform(data)).Count);
        var report = _ml.Transforms.FineTuneAudioGenerator("Made", "Caption", "Sound", options).DescribeTrainingData(data);
        Assert.Equal((4, 1, 0, 0L), (report.Sounds, report.SoundsWithoutText, report.SilentSounds, report.DuplicateSounds));
        Assert.Equal(4 * 0.2 + 3 * 0.02, report.Seconds, 6);
        Assert.Equal(4, _ml.Transforms.FineTuneAudioGenerator("Made", null, "Sound", options).DescribeTrainingData(data).SoundsWithoutText);
    }

    [Fact]
    public void A_cancelled_run_is_resumed_to_the_same_samples_and_its_codes_are_kept_beside_it()
    {
        var data = Load(TinyAudio.Tunes());
        using var whole = Fit("whole", resume: false, default, null);
        using var source = new CancellationTokenSource();
        var error = Assert.Throws<OperationCanceledException>(() => Fit(
            "run", resume: false, source.Token, new Callback(p => { if (p.Step == 3) source.Cancel(); })));
        Assert.Contains("checkpoint-2", error.Message, StringComparison.Ordinal);
        var codes = Directory.GetFiles(_folder["run/codes"]);
        Assert.Equal(6, codes.Length);
        var written = codes.Select(File.GetLastWriteTimeUtc).ToList();

        using var resumed = Fit("run", resume: true, default, null);

        Assert.Equal(TinyAudio.Samples(whole.Transform(data)), TinyAudio.Samples(resumed.Transform(data)));
        Assert.Equal(written, codes.Select(File.GetLastWriteTimeUtc));

        AudioGeneratorTransformer Fit(string run, bool resume, CancellationToken stop, IProgress<RunProgress>? progress) =>
            _ml.Transforms.FineTuneAudioGenerator("Made", "Caption", "Sound", TinyAudio.MusicOptions(
                o => (o.CancellationToken, o.Progress, o.Seed) = (stop, progress, 3),
                t => t with { OutputDirectory = _folder[run], CheckpointSteps = 2, Resume = resume })).Fit(data);
    }

    [Fact]
    public void A_loaded_model_is_trained_on_and_stays_as_it_is()
    {
        var data = Load(TinyAudio.Tunes());
        using var first = _ml.Transforms.GenerateAudio("Made", "Caption", TinyAudio.Music, new() { Music = TinyAudio.Short }).Fit(data);
        var before = first.Model.Network.ComputeFingerprint();
        using var second = _ml.Transforms.FineTuneAudioGenerator(
            "Made", "Caption", "Sound", TinyAudio.MusicOptions(o => (o.PretrainedModel, o.BaseModel) = (null, first))).Fit(data);

        Assert.Equal(before, first.Model.Network.ComputeFingerprint());
        Assert.NotEqual(before, second.Model.Network.ComputeFingerprint());
    }

    [Fact]
    public void Codes_are_evaluated_with_the_captions_of_training()
    {
        var data = Load(TinyAudio.Tunes());
        using var model = _ml.Transforms.FineTuneAudioGenerator(
            "Made", "Caption", "Sound", TinyAudio.MusicOptions(o => o.ValidationData = data)).Fit(data);
        var evaluation = (IAudioEvaluation)model;

        var measured = evaluation.EvaluateCodes(data, "Sound", TestContext.Current.CancellationToken);

        Assert.Equal(4, measured.CodebookLosses.Count);
        Assert.Equal(((MusicTrainingResult)model.TrainingResult!).ValidationLoss!.Value, measured.Loss, 1e-4);
        Assert.Equal(
            TinyAudio.Samples(model.Transform(data)),
            evaluation.GenerateSounds(data, TestContext.Current.CancellationToken).Select(sound => sound.Samples.ToArray()));
        Assert.Equal(6, evaluation.ReadSounds(data, "Sound", TestContext.Current.CancellationToken).Count());
    }

    private IDataView Load(IEnumerable<TuneRow> rows) => _ml.Data.LoadFromEnumerable(rows);

    private AudioGeneratorTransformer Generate(GenerateAudioOptions options, IDataView data) =>
        _ml.Transforms.GenerateAudio("Made", "Caption", TinyAudio.Music, options).Fit(data);

    private sealed class Same : IEqualityComparer<float[]>
    {
        public bool Equals(float[]? one, float[]? other) => one!.AsSpan().SequenceEqual(other);

        public int GetHashCode(float[] samples) => samples.Length;
    }

    private sealed class Callback(Action<RunProgress> report) : IProgress<RunProgress>
    {
        public void Report(RunProgress value) => report(value);
    }
}
