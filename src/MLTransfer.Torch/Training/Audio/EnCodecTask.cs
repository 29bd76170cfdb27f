using System.Text.Json;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks.Codecs.EnCodec;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Sounds;
using MLTransfer.Torch.Training.Optimizers;
using MLTransfer.Torch.Training.Reports;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace MLTransfer.Torch.Training.Audio;

/// <summary>
/// What a run does to train a codec: its encoder and decoder are a player, discriminators another, and codebooks follow what is quantized.
/// A saved run is the codec's folder, with the discriminators beside it.
/// </summary>
internal sealed class EnCodecTask : TrainingTask<EnCodecProgress>
{
    private const string DiscriminatorFile = "discriminator.safetensors";

    // What a step's seeds are for; see TrainingStep.Seed.
    private const ulong SegmentSeeds = 4;
    private const ulong ChoiceSeeds = 5;
    private const ulong CodebookSeeds = 6;

    private readonly EnCodecModel _codec;
    private readonly EnCodecTrainingOptions _options;
    private readonly IReadOnlyList<Waveform> _sounds;
    private readonly IReadOnlyList<Waveform> _validationSounds;
    private readonly SoundSegments _segments;
    private readonly int _samples;
    private readonly int _stepsPerEpoch;
    private readonly QuantizerTraining _quantizer;
    private readonly EnCodecLosses _losses;
    private readonly CodecAdversary? _adversary;
    private readonly Player _player;
    private readonly Player? _adversaryPlayer;

    /// <param name="codec">What is trained.</param>
    /// <param name="options">How.</param>
    /// <param name="segments">The rows.</param>
    /// <param name="sounds">What they are cut out of.</param>
    /// <param name="validation">Sounds to evaluate with; empty for none.</param>
    /// <param name="samples">Of a row.</param>
    /// <param name="stepsPerEpoch">How many steps go through all rows.</param>
    public EnCodecTask(
        EnCodecModel codec, EnCodecTrainingOptions options, SoundSegments segments, IReadOnlyList<Waveform> sounds,
        IReadOnlyList<Waveform> validation, int samples, int stepsPerEpoch)
    {
        (_codec, _options, _segments, _sounds, _validationSounds) = (codec, options, segments, sounds, validation);
        (_samples, _stepsPerEpoch) = (samples, stepsPerEpoch);
        _quantizer = new QuantizerTraining(codec.Quantizer, options);
        _player = CreatePlayer("codec", codec.TrainableParameters());
        if (options.Discriminator is { } discriminator)
        {
            _adversary = new CodecAdversary(codec.Channels, discriminator, options.Seed, codec.Device);
            _adversaryPlayer = CreatePlayer("discriminator", _adversary.Parameters);
        }

        _losses = new EnCodecLosses(codec, options, samples, _adversary);

        Player CreatePlayer(string name, IEnumerable<(string Name, Parameter Parameter)> parameters) =>
            new(name, OptimizerFactory.Create(options, TrainedParameter.OfLayers(parameters)))
            {
                MaximumGradientNorm = options.MaximumGradientNorm,
            };
    }

    public override IEnumerable<KeyValuePair<string, Tensor>> Weights =>
        _codec.CheckpointTensors().Concat(DiscriminatorWeights.Select(w => KeyValuePair.Create("discriminator." + w.Key, w.Value)));

    public override IReadOnlyList<Player> Players => _adversaryPlayer is null ? [_player] : [_player, _adversaryPlayer];

    public override JsonNode? State => JsonSerializer.SerializeToNode(_losses.Balancer.Means);

    public override string LossLabel => "Difference of mel spectrograms";

    private IEnumerable<KeyValuePair<string, Tensor>> DiscriminatorWeights =>
        (_adversary?.Parameters ?? []).Select(p => KeyValuePair.Create(p.Name, (Tensor)p.Parameter));

    /// <summary>Weights are left out: a saved run brings all of them back.</summary>
    public override string Fingerprint()
    {
        using var fingerprint = new RunFingerprint(_options);
        fingerprint.AddText(_codec.Configuration.ToJsonString());
        foreach (var (name, weights) in Weights)
            fingerprint.AddTrained(name, weights);
        foreach (var sounds in (IReadOnlyList<Waveform>[])[_sounds, _validationSounds])
        {
            fingerprint.AddNumber(sounds.Count);
            foreach (var sound in sounds)
                fingerprint.AddNumbers(sound.Samples);
        }

        return fingerprint.Value;
    }

    public override EnCodecProgress ReportAfter(int step) => new() { Step = step, Epoch = (double)step / _stepsPerEpoch };

    public override EnCodecProgress RunStep(TrainingStep step)
    {
        _codec.train(true);
        var random = new SplitMix64(step.Seed(ChoiceSeeds, (ulong)step.Index));
        var bandwidths = _codec.Bandwidths;
        var drawn = bandwidths[(int)(random.NextDouble() * bandwidths.Count)];
        var count = _options.DrawBandwidths ? _codec.CodebooksOf(drawn) : _codec.CodebookCount;
        var discriminator = step.Index >= _options.Discriminator?.FirstStep ? _options.Discriminator : null;
        double? discriminatorLoss = null;
        if (random.NextDouble() < discriminator?.UpdateShare)
        {
            discriminatorLoss = step.Update(_adversaryPlayer!, [step.Rows.Length], pass =>
            {
                using var real = Draw(step, pass.Rows);
                using var decoded = _losses.Decode(real, count);
                return _adversary!.Judge(real, decoded, pass.Rows.Length / pass.Normalizers[0]);
            }, "discriminator loss").Loss;
        }

        var report = new EnCodecProgress
        {
            Step = step.Index + 1, Epoch = (step.Index + 1.0) / _stepsPerEpoch, DiscriminatorLoss = discriminatorLoss, Codebooks = count,
        };
        var sums = new EnCodecLosses.Sums();
        var update = step.Update(_player, [step.Rows.Length], pass => _losses.Backward(
            Draw(step, pass.Rows),
            embeddings => _quantizer.Quantize(
                embeddings, count, layer => step.Seed(CodebookSeeds, (ulong)step.Index, (ulong)pass.Index, (ulong)layer)),
            hears: discriminator is not null, pass.Rows.Length / pass.Normalizers[0], sums));
        return sums.AddTo(report) with { GradientNorm = update.GradientNorm, LearningRate = update.LearningRate };
    }

    public override long AmountOf(int[] rows) => (long)rows.Length * _samples;

    public override EnCodecProgress Evaluate(EnCodecProgress report, CancellationToken cancellationToken)
    {
        _codec.eval();
        using var gradients = no_grad();
        var rows = new SoundSegments(_validationSounds, _samples, _codec.Channels);
        var (mel, waveform) = (0.0, 0.0);
        using var scope = NewDisposeScope();
        var uses = zeros(_codec.CodebookCount, _codec.CodebookSize, dtype: ScalarType.Int64, device: _codec.Device);
        foreach (var part in Enumerable.Range(0, rows.Count).Chunk(_options.EvaluationBatchSize ?? _options.BatchSize))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var inner = NewDisposeScope();
            var real = rows.Take(part).to(_codec.Device);
            var (decoded, codes) = _losses.DecodeWithCodes(real, _codec.CodebookCount);
            mel += _losses.Mel(real, decoded).item<float>() * part.Length / rows.Count;
            waveform += (real - decoded).abs().mean().item<float>() * part.Length / rows.Count;
            for (var codebook = 0; codebook < _codec.CodebookCount; codebook++)
                uses[codebook].add_(codes.select(1, codebook).flatten().bincount(null, _codec.CodebookSize));
        }

        var byCodebook = Enumerable.Range(0, _codec.CodebookCount).ToList();
        return report with
        {
            ValidationMelLoss = mel,
            ValidationWaveformLoss = waveform,
            ValidationPerplexities = [.. byCodebook.Select(codebook => CodebookUse.Perplexity(uses[codebook]))],
            ValidationUsedShares = [.. byCodebook.Select(codebook => CodebookUse.Share(uses[codebook]))],
        };
    }

    public override IReadOnlyList<SampleAnswer> Answer(int step, CancellationToken cancellationToken)
    {
        _codec.eval();
        var sounds = _validationSounds.Count > 0 ? _validationSounds : _sounds;
        var answers = new List<SampleAnswer>();
        foreach (var (index, sound) in sounds.Take(_options.SampleSounds).Index())
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var codes = _codec.Encode(sound, _codec.Bandwidths[^1]);
            var decoded = _codec.DecodeSounds(codes)[0];
            answers.Add(new MediaAnswer($"sound {index}", MediaAnswer.Sound, WaveformFile.ToBytes(decoded)));
        }

        return answers;
    }

    public override void Save(string folder)
    {
        _codec.Save(folder);
        if (_adversary is not null)
            SafetensorsWriter.Write(Path.Combine(folder, DiscriminatorFile), DiscriminatorWeights);
    }

    public override void Restore(string folder)
    {
        using var codec = Checkpoint.Open(folder);
        WeightSnapshot.Check(_codec.CheckpointTensors(), codec);
        if (_adversary is not null)
        {
            using var discriminator = SafetensorsFile.Open(Path.Combine(folder, DiscriminatorFile));
            WeightSnapshot.CopyInto(DiscriminatorWeights, discriminator);
        }

        WeightSnapshot.CopyInto(_codec.CheckpointTensors(), codec);
    }

    public override void RestoreState(JsonNode? state) =>
        _losses.Balancer.Means = state.Deserialize<Dictionary<string, GradientBalancer.Mean>>() is { } means && !means.ContainsValue(null!)
            ? means : throw new InvalidDataException($"{SavedRun.StateFile} does not tell the norms of gradients.");

    public override IEnumerable<LossCurve> Curves(IReadOnlyList<EnCodecProgress> history) =>
    [
        new("training", history.Where(p => p.MelLoss is not null).Select(p => (p.Step, p.MelLoss!.Value))),
        new(
            "validation", history.Where(p => p.ValidationMelLoss is not null).Select(p => (p.Step, p.ValidationMelLoss!.Value)),
            HasMarkers: true),
    ];

    public override void End() => _codec.eval();

    public override void Dispose()
    {
        _player.Dispose();
        _adversaryPlayer?.Dispose();
        _adversary?.Dispose();
        _losses.Dispose();
    }

    private Tensor Draw(TrainingStep step, int[] rows)
    {
        using var segments = _segments.Draw(rows, row => step.Seed(SegmentSeeds, (ulong)step.Index, (ulong)row));
        return segments.to(_codec.Device, copy: true);
    }
}
