using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Networks.Vits;
using MLTransfer.Torch.Sounds;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training.Reports;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Audio;

/// <summary>
/// What a run does to train a VITS: two players, the network and the discriminator. A saved run is the model's folder (or its adapters)
/// with the discriminator and the trained weights beside it.
/// </summary>
internal sealed class SpeechTask : TrainingTask<SpeechProgress>
{
    private const string TrainedWeightsFile = "trained-weights.safetensors";

    /// <summary>The purposes of the seeds of rows.</summary>
    private const ulong RowSeeds = 5;

    private readonly VitsModel _model;
    private readonly SpeechTokenizer _tokenizer;
    private readonly SpeechTrainingOptions _options;
    private readonly SpeechRows _rows;
    private readonly SpeechSpectra _spectra;
    private readonly TrainedSpeech _trained;
    private readonly SpeechUpdates _updates;

    /// <param name="model">What is trained; it has a discriminator.</param>
    /// <param name="tokenizer">Saved with every run, and reads samples.</param>
    /// <param name="options">How.</param>
    /// <param name="rows">To train on and to evaluate with.</param>
    /// <param name="spectra">Of the model; the caller's.</param>
    public SpeechTask(
        VitsModel model, SpeechTokenizer tokenizer, SpeechTrainingOptions options, SpeechRows rows, SpeechSpectra spectra)
    {
        (_model, _tokenizer, _options, _rows, _spectra) = (model, tokenizer, options, rows, spectra);
        _trained = new TrainedSpeech(model, options);
        _updates = new SpeechUpdates(_trained, model.Discriminator!, spectra, options);
    }

    public override IEnumerable<KeyValuePair<string, Tensor>> Weights =>
        Prefixed("model", ModelWeights("")).Concat(Prefixed("trained", TrainedWeights))
            .Concat(Prefixed("discriminator", DiscriminatorWeights));

    public override IReadOnlyList<Player> Players => [_updates.GeneratorPlayer, _updates.DiscriminatorPlayer];

    private IEnumerable<KeyValuePair<string, Tensor>> TrainedWeights =>
        _trained.Parameters.Select(p => KeyValuePair.Create(p.Name, (Tensor)p.Parameter));

    private IEnumerable<KeyValuePair<string, Tensor>> DiscriminatorWeights => _model.Discriminator!.CheckpointTensors();

    public override string Fingerprint()
    {
        using var fingerprint = new RunFingerprint(_options);
        fingerprint.AddText(_model.Configuration.ToJsonString());
        fingerprint.AddJson(_model.Lora);
        NetworkWeights.AddTo(fingerprint, _model);
        foreach (var (name, tensor) in DiscriminatorWeights)
            fingerprint.AddTrained(name, tensor);
        _rows.AddTo(fingerprint);
        return fingerprint.Value;
    }

    public override void WeightsChanged()
    {
        WriteTokenRows();
        _model.FreeCopies();
    }

    public override SpeechProgress ReportAfter(int step) => new() { Step = step, Epoch = (double)step / _rows.Schedule.StepsPerEpoch };

    public override SpeechProgress RunStep(TrainingStep step)
    {
        _trained.Network.train();
        var (tokens, frames) = (step.Rows.Sum(row => (double)_rows.Training[row].Ids.Length),
            step.Rows.Sum(row => (double)_rows.Training[row].Frames));
        var losses = _updates.Run(step, tokens, frames, rows =>
        {
            var batch = Batch([.. rows.Select(row => _rows.Training[row])]);
            return (batch, SpeechNoise.Draw(
                _trained.Network, batch, [.. rows.Select(row => (long)step.Seed(RowSeeds, (ulong)step.Index, (ulong)row))]));
        });
        _trained.Network.WriteTokenRows();
        _trained.Publish();
        return new SpeechProgress
        {
            Step = step.Index + 1,
            Epoch = (step.Index + 1.0) / _rows.Schedule.StepsPerEpoch,
            GeneratorLoss = losses.Generator.Loss,
            DiscriminatorLoss = losses.IsAdversarial ? losses.Discriminator.Loss : null,
            AdversarialLoss = losses.IsAdversarial ? losses.Adversarial : null,
            FeatureLoss = losses.IsAdversarial ? losses.Features : null,
            MelLoss = losses.Mel,
            DurationLoss = losses.Duration,
            DivergenceLoss = losses.Divergence,
            GeneratorGradientNorm = losses.Generator.GradientNorm,
            DiscriminatorGradientNorm = losses.IsAdversarial ? losses.Discriminator.GradientNorm : null,
            LearningRate = losses.Generator.LearningRate,
        };
    }

    /// <summary>In thousandths of a second of sound.</summary>
    public override long AmountOf(int[] rows) =>
        rows.Sum(row => 1000L * _rows.Training[row].Samples.Length / _model.SampleRate);

    public override SpeechProgress Evaluate(SpeechProgress report, CancellationToken cancellationToken)
    {
        using var gradients = no_grad();
        double mel = 0, divergence = 0, frames = 0, duration = 0, tokens = 0;
        foreach (var (index, row) in Ranks.Share([.. _rows.Validation.Index()]))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var batch = Batch([row], isWhole: true);
            var drawn = SpeechNoise.Draw(_model, batch, [index]);
            var pass = SpeechPass.Run(_model, batch, drawn with { Posterior = zeros_like(drawn.Posterior) }, _spectra, null);
            mel += SpeechLosses.Mel(pass, _spectra).item<float>() * row.Frames;
            divergence += pass.Divergence.item<float>();
            duration += pass.DurationLosses.sum().item<float>();
            (frames, tokens) = (frames + row.Frames, tokens + row.Ids.Length);
        }

        double[] sums = [mel, divergence, frames, duration, tokens];
        Ranks.Sum(sums);
        return report with
        {
            ValidationMelLoss = _options.MelWeight * sums[0] / sums[2],
            ValidationDivergence = _options.DivergenceWeight * sums[1] / sums[2],
            ValidationDurationLoss = _options.DurationWeight * sums[3] / sums[4],
        };
    }

    public override IReadOnlyList<SampleAnswer> Answer(int step, CancellationToken cancellationToken)
    {
        if (_options.SampleTexts.Count == 0)
            return [];
        var options = _options.SampleSpeech ?? new SpeechOptions();
        var sounds = new SpeechGenerator(_model, _tokenizer).Generate(
            _options.SampleTexts, options with { Seed = options.Seed ?? _options.Seed }, cancellationToken);
        return
        [
            .. _options.SampleTexts.Zip(sounds, (request, sound) => new MediaAnswer(
                request.Speaker is { } speaker ? $"{request.Text} (speaker {speaker})" : request.Text, MediaAnswer.Sound,
                WaveformFile.ToBytes(sound))),
        ];
    }

    public override void Save(string folder)
    {
        NetworkWeights.Save(_model, folder);
        if (_model.Lora is not null)
            _model.Discriminator!.Save(folder);

        _tokenizer.Save(folder);
        SafetensorsWriter.Write(Path.Combine(folder, TrainedWeightsFile), TrainedWeights);
    }

    public override void Restore(string folder)
    {
        var (weights, prefix) = NetworkWeights.Open(_model, folder);
        using (weights)
        {
            using var trained = SafetensorsFile.Open(Path.Combine(folder, TrainedWeightsFile));
            using var discriminator = SafetensorsFile.Open(Path.Combine(folder, SpeechDiscriminator.FileName));
            WeightSnapshot.Check(TrainedWeights, trained);
            WeightSnapshot.Check(DiscriminatorWeights, discriminator);
            WeightSnapshot.CopyInto(ModelWeights(prefix), weights);
            WeightSnapshot.CopyInto(TrainedWeights, trained);
            WeightSnapshot.CopyInto(DiscriminatorWeights, discriminator);
        }

        WeightsChanged();
    }

    public override IEnumerable<LossCurve> Curves(IReadOnlyList<SpeechProgress> history)
    {
        return
        [
            new("generator", Points(progress => progress.GeneratorLoss)),
            new("discriminator", Points(progress => progress.DiscriminatorLoss)),
            new("mel", Points(progress => progress.MelLoss)),
            new("mel of validation", Points(progress => progress.ValidationMelLoss), HasMarkers: true),
        ];

        IEnumerable<(int, double)> Points(Func<SpeechProgress, double?> loss) =>
            history.Where(progress => loss(progress) is not null).Select(progress => (progress.Step, loss(progress)!.Value));
    }

    public override void End()
    {
        _model.eval();
        _model.FreeCopies();
        WriteTokenRows(); // the run may have gone back to others
    }

    public override void Dispose()
    {
        _updates.Dispose();
        _trained.Dispose();
    }

    private void WriteTokenRows()
    {
        _model.WriteTokenRows();
        _trained.Network.WriteTokenRows();
    }

    private SpeechBatch Batch(IReadOnlyList<SpeechRow> rows, bool isWhole = false) =>
        SpeechBatch.Create(rows, _spectra, isWhole ? 1 : _options.SegmentSize / _spectra.Hop, _model.Device);

    /// <summary>What training changes, under the names that a file has for it.</summary>
    private IEnumerable<KeyValuePair<string, Tensor>> ModelWeights(string prefix) =>
        _model.TrainableParameters().Select(p => KeyValuePair.Create(prefix + p.Name, (Tensor)p.Parameter));

    private static IEnumerable<KeyValuePair<string, Tensor>> Prefixed(string prefix, IEnumerable<KeyValuePair<string, Tensor>> tensors) =>
        tensors.Select(tensor => KeyValuePair.Create($"{prefix}.{tensor.Key}", tensor.Value));
}
