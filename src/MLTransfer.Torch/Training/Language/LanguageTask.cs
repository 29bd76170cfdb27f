using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training.Optimizers;
using MLTransfer.Torch.Training.Reports;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Language;

/// <summary>What a run does to train a language model. A saved run is the model (or its adapters) in Hugging Face layout.</summary>
internal sealed class LanguageTask : TrainingTask<TrainingProgress>
{
    /// <summary>So many steps pass until the C library has settled where in its heap the tensors of a step lie.</summary>
    private const int StepsToSettle = 3;

    /// <summary>The purpose of the seeds of blocks that are computed twice.</summary>
    private const ulong RecomputationSeeds = 3;

    /// <summary>The purpose of the seeds of noise on embeddings; 4 is for that of rows.</summary>
    private const ulong EmbeddingSeeds = 5;

    private readonly TransformerNetwork _model;
    private readonly LanguageTrainingOptions _options;
    private readonly LanguageRows _rows;
    private readonly ScalarType? _computeType;
    private readonly Optimizer _optimizer;
    private readonly Player _player;
    private FrozenWeights? _frozen;
    private int _stepsDone;

    /// <param name="model">What is trained.</param>
    /// <param name="options">How.</param>
    /// <param name="rows">To train on and to evaluate with.</param>
    /// <param name="computeType">The type of matrix products; null for that of the weights.</param>
    public LanguageTask(TransformerNetwork model, LanguageTrainingOptions options, LanguageRows rows, ScalarType? computeType)
    {
        (_model, _options, _rows, _computeType) = (model, options, rows, computeType);
        _optimizer = OptimizerFactory.Create(
            options, Trained(model), options.LayerRateDecay < 1 ? new LayerRates(model, options.LayerRateDecay).FactorOf : null);
        _player = new Player("", _optimizer)
        {
            MaximumGradientNorm = options.MaximumGradientNorm,
            Average = options.WeightAverageDecay > 0
                ? new WeightAverage(model.TrainableParameters(), options.WeightAverageDecay) : null,
        };
    }

    /// <summary>Saved with every run, so that a saved run is a complete model; null for none.</summary>
    public TextTokenizer? Tokenizer { get; init; }

    /// <inheritdoc cref="LanguageModelTrainer.AnswerSamples"/>
    public Func<IReadOnlyList<string>, GenerationOptions, CancellationToken, IReadOnlyList<IReadOnlyList<GeneratedText>>>? AnswerSamples
    {
        get; init;
    }

    public override IEnumerable<KeyValuePair<string, Tensor>> Weights => NetworkWeights.Of(_model);

    public override IReadOnlyList<Player> Players => [_player];

    public override string LossLabel => "Cross-entropy (nats a token)";

    public override string Fingerprint()
    {
        using var fingerprint = new RunFingerprint(_options);
        fingerprint.AddJson(_model.Dropout);
        fingerprint.AddJson(_model.Lora);
        NetworkWeights.AddTo(fingerprint, _model);
        _rows.AddTo(fingerprint);
        return fingerprint.Value;
    }

    public override void Begin() => _model.ComputeType = _computeType;

    public override void Prepare(string folder, int step, CancellationToken cancellationToken)
    {
        _frozen = FrozenWeights.Convert(
            _model, Path.Combine(folder, "frozen-weights.safetensors"), _options.FrozenFormat);
        TrainableWeights.Convert(_model, _optimizer);
    }

    public override TrainingProgress ReportAfter(int step) => new() { Step = step, Epoch = (double)step / _rows.Schedule.StepsPerEpoch };

    public override TrainingProgress RunStep(TrainingStep step)
    {
        _model.train();
        using var dropout = step.SeedDropout(_model.DropoutSource, step.Index);

        // As transformers does, the sum is divided by the labels that count, each row's first included although nothing predicts it; but
        // not where they are smoothed.
        var rows = step.Rows.ToDictionary(row => row, row => _rows.Training(row, step.Index));
        double labels = rows.Values.Sum(row => _options.LabelSmoothingFactor > 0 ? row.PredictedTokens : row.LabelCount);
        var update = step.Update(_player, [labels], pass =>
        {
            using var checkpoints = _options.GradientCheckpointing
                ? new BlockRecomputation((long)step.Seed(RecomputationSeeds, (ulong)step.Index, (ulong)pass.Index), _model.DropoutSource)
                : null;
            var batch = TrainingBatch.Create([.. pass.Rows.Select(row => rows[row])], _model.Device);
            return LanguageModelLoss.Backward(
                _model, batch, 1.0 / pass.Normalizers[0], checkpoints, _frozen, Regularization(step, pass.Rows));
        });
        _model.WriteTokenRows();
        if (_stepsDone++ < StepsToSettle && _model.Device.type == TorchSharp.DeviceType.CPU)
            NativeHeap.Trim();
        return new TrainingProgress
        {
            Step = step.Index + 1,
            Epoch = (step.Index + 1.0) / _rows.Schedule.StepsPerEpoch,
            Loss = update.Loss,
            GradientNorm = update.GradientNorm,
            LearningRate = update.LearningRate,
        };
    }

    public override void WeightsChanged()
    {
        _optimizer.RenewCopies();
        _model.WriteTokenRows();
    }

    public override long AmountOf(int[] rows) => rows.Sum(row => (long)_rows.TokenCount(row));

    public override TrainingProgress Evaluate(TrainingProgress report, CancellationToken cancellationToken) => report with
    {
        ValidationLoss = Evaluator.Evaluate(
            _model, _rows.Validation, _options.EvaluationBatchSize ?? _options.BatchSize, cancellationToken).Loss,
    };

    public override IReadOnlyList<SampleAnswer> Answer(int step, CancellationToken cancellationToken)
    {
        if (_options.SamplePrompts.Count == 0)
            return [];
        var options = _options.SampleGeneration ?? new GenerationOptions();
        options = options with { Seed = options.Seed ?? _options.Seed };
        var answers = AnswerSamples?.Invoke(_options.SamplePrompts, options, cancellationToken)
            ?? new TextGenerator(_model, Tokenizer!).Generate(_options.SamplePrompts, options, cancellationToken);
        return [.. _options.SamplePrompts.Zip(answers, (prompt, texts) => new TextAnswer(prompt, texts[0].Text))];
    }

    public override void Save(string folder)
    {
        NetworkWeights.Save(_model, folder);
        Tokenizer?.Save(folder);
    }

    public override void Restore(string folder)
    {
        NetworkWeights.Restore(_model, folder);
        _model.WriteTokenRows();
    }

    public override IEnumerable<LossCurve> Curves(IReadOnlyList<TrainingProgress> history) =>
    [
        new("training", history.Where(p => p.Loss is not null).Select(p => (p.Step, p.Loss!.Value))),
        new(
            "validation", history.Where(p => p.ValidationLoss is not null).Select(p => (p.Step, p.ValidationLoss!.Value)),
            HasMarkers: true),
    ];

    public override void End()
    {
        _model.eval();
        _frozen?.Dispose();
        _model.WriteTokenRows(); // the run may have gone back to others
        _model.ComputeType = null;
        NetworkWeights.ClearGradients(_model);
    }

    public override void Dispose() => _player.Dispose();

    private LossRegularization Regularization(TrainingStep step, int[] rows) => new(
        new CrossEntropyTerms(_options.LabelSmoothingFactor, _options.ZLossWeight),
        _options.NeftuneNoiseAlpha == 0 ? null : new EmbeddingNoise(
            _options.NeftuneNoiseAlpha, [.. rows.Select(row => step.Seed(EmbeddingSeeds, (ulong)step.Index, (ulong)row))]));

    /// <summary>What is trained of a network whose blocks are those of transformers.</summary>
    internal static IEnumerable<TrainedParameter> Trained(GenerativeNetwork model)
    {
        var isHidden = HiddenMatrices.OfBlocks(model);
        return model.TrainableParameters().Select(p => new TrainedParameter(
            p.Name, p.Parameter, IsDecayed(p.Name, p.Parameter.dim()), isHidden(p.Name, p.Parameter)));
    }

    // Biases and normalization weights are the vectors of a model.
    /// <summary>Biases, T5's table of them too, and weights of norms are spared; the lengths of rows (DoRA) are not.</summary>
    internal static bool IsDecayed(string name, long dimensions) => !name.Contains("bias", StringComparison.Ordinal)
        && (dimensions > 1 || name.EndsWith(LoraAdapter.MagnitudeName, StringComparison.Ordinal));
}
