using MLTransfer.Torch.Generation.Music;
using MLTransfer.Torch.Networks.MusicGen;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Sounds;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training.Language;
using MLTransfer.Torch.Training.Optimizers;
using MLTransfer.Torch.Training.Reports;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Audio;

/// <summary>What a run does to train a MusicGen. A saved run is the model (or its adapters) in Hugging Face layout.</summary>
internal sealed class MusicTask : TrainingTask<MusicProgress>
{
    /// <summary>The purpose of the seeds of blocks that are computed twice.</summary>
    private const ulong RecomputationSeeds = 3;

    private readonly MusicGenModel _model;
    private readonly MusicTrainingOptions _options;
    private readonly MusicRows _rows;
    private readonly ScalarType? _computeType;
    private readonly Player _player;
    private FrozenWeights? _frozen;

    /// <param name="model">What is trained.</param>
    /// <param name="options">How.</param>
    /// <param name="rows">To train on and to evaluate with.</param>
    /// <param name="computeType">The type of matrix products; null for that of the weights.</param>
    public MusicTask(MusicGenModel model, MusicTrainingOptions options, MusicRows rows, ScalarType? computeType)
    {
        (_model, _options, _rows, _computeType) = (model, options, rows, computeType);
        _player = new Player("", OptimizerFactory.Create(options, LanguageTask.Trained(model)))
        {
            MaximumGradientNorm = options.MaximumGradientNorm,
        };
    }

    /// <summary>Saved with every run, so that a saved run is a complete model; null for none.</summary>
    public TextTokenizer? Tokenizer { get; init; }

    public override IEnumerable<KeyValuePair<string, Tensor>> Weights => NetworkWeights.Of(_model);

    public override IReadOnlyList<Player> Players => [_player];

    public override string LossLabel => "Cross-entropy (nats a code)";

    public override string Fingerprint()
    {
        using var fingerprint = new RunFingerprint(_options);
        fingerprint.AddJson(_model.Decoder.Dropout);
        fingerprint.AddJson(_model.Lora);
        NetworkWeights.AddTo(fingerprint, _model);
        _rows.AddTo(fingerprint);
        return fingerprint.Value;
    }

    public override void Begin() => _model.ComputeType = _computeType;

    public override void Prepare(string folder, int step, CancellationToken cancellationToken)
    {
        _frozen = FrozenWeights.Convert(_model.Decoder, Path.Combine(folder, "frozen-weights.safetensors"));
        TrainableWeights.Convert(_model.Decoder, _player.Optimizer);
    }

    public override MusicProgress ReportAfter(int step) => new() { Step = step, Epoch = (double)step / _rows.Schedule.StepsPerEpoch };

    public override MusicProgress RunStep(TrainingStep step)
    {
        _model.Decoder.train();
        _model.TextEncoder.train(_options.TrainTextEncoder); // else it stays as it is when it reads captions to generate from
        _model.Projection?.train();
        using var dropout = step.SeedDropout(_model.Decoder.DropoutSource, step.Index);
        using var textDropout = step.SeedDropout(_model.TextEncoder.DropoutSource, ~step.Index);
        var rows = step.Rows.ToDictionary(row => row, row => _rows.Training(row, step.Index));
        var counts = MusicTrainingBatch.CountPredicted(rows.Values, _model.Codebooks, _model.Pattern.PaddingId);
        var update = step.Update(_player, counts, pass =>
        {
            using var checkpoints = _options.GradientCheckpointing
                ? new BlockRecomputation(
                    (long)step.Seed(RecomputationSeeds, (ulong)step.Index, (ulong)pass.Index), _model.Decoder.DropoutSource)
                : null;
            var batch = MusicTrainingBatch.Create(_model, [.. pass.Rows.Select(row => rows[row])]);
            return MusicLoss.Backward(_model, batch, pass.Normalizers, checkpoints, _frozen);
        });
        _model.Decoder.WriteTokenRows();
        return new MusicProgress
        {
            Step = step.Index + 1,
            Epoch = (step.Index + 1.0) / _rows.Schedule.StepsPerEpoch,
            Loss = update.Loss,
            GradientNorm = update.GradientNorm,
            LearningRate = update.LearningRate,
        };
    }

    public override void WeightsChanged() => _model.Decoder.WriteTokenRows();

    public override long AmountOf(int[] rows) => rows.Sum(row => (long)_rows.LengthOf(row));

    public override MusicProgress Evaluate(MusicProgress report, CancellationToken cancellationToken) => report with
    {
        Validation = MusicEvaluator.Evaluate(
            _model, _rows.Validation, _options.EvaluationBatchSize ?? _options.BatchSize, Ranks, cancellationToken),
    };

    public override IReadOnlyList<SampleAnswer> Answer(int step, CancellationToken cancellationToken)
    {
        if (_options.SamplePrompts.Count == 0)
            return [];
        var options = _options.SampleGeneration ?? new MusicGenerationOptions();
        options = options with { Seed = options.Seed ?? _options.Seed };
        var music = new MusicGenerator(_model, Tokenizer)
            .Generate([.. _options.SamplePrompts.Select(MusicPrompt.FromText)], options, cancellationToken: cancellationToken);
        return
        [
            .. _options.SamplePrompts.Zip(music, (prompt, made) =>
                new MediaAnswer(prompt, MediaAnswer.Sound, WaveformFile.ToBytes(made.Sound))),
        ];
    }

    public override void Save(string folder)
    {
        NetworkWeights.Save(_model, folder);
        Tokenizer?.Save(folder);
    }

    public override void Restore(string folder)
    {
        NetworkWeights.Restore(_model, folder);
        _model.Decoder.WriteTokenRows();
    }

    public override IEnumerable<LossCurve> Curves(IReadOnlyList<MusicProgress> history) =>
    [
        new("training", history.Where(p => p.Loss is not null).Select(p => (p.Step, p.Loss!.Value))),
        new(
            "validation", history.Where(p => p.Validation is not null).Select(p => (p.Step, p.Validation!.Loss)), HasMarkers: true),
    ];

    public override void End()
    {
        _model.eval();
        _frozen?.Dispose();
        _model.Decoder.WriteTokenRows(); // the run may have gone back to others
        _model.ComputeType = null;
        NetworkWeights.ClearGradients(_model);
    }

    public override void Dispose() => _player.Dispose();
}
