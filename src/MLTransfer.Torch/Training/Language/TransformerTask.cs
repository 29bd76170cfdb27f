using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training.Optimizers;
using MLTransfer.Torch.Training.Reports;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Language;

/// <summary>
/// What a run does to train a transformer of texts, whatever its rows and its loss are. A saved run is the model (or its adapters) in
/// Hugging Face layout.
/// </summary>
internal abstract class TransformerTask : TrainingTask<TrainingProgress>
{
    /// <summary>So many steps pass until the C library has settled where in its heap the tensors of a step lie.</summary>
    private const int StepsToSettle = 3;

    /// <summary>The purpose of the seeds of blocks that are computed twice.</summary>
    private const ulong RecomputationSeeds = 3;

    /// <summary>The purpose of the seeds of noise on embeddings; 4 is for that of rows.</summary>
    private const ulong EmbeddingSeeds = 5;

    private readonly LanguageTrainingOptions _options;
    private readonly RowSchedule _schedule;
    private readonly ScalarType? _computeType;
    private readonly Optimizer _optimizer;
    private int _stepsDone;

    /// <param name="model">What is trained.</param>
    /// <param name="options">How.</param>
    /// <param name="schedule">Which rows steps read.</param>
    /// <param name="computeType">The type of matrix products; null for that of the weights.</param>
    protected TransformerTask(TransformerNetwork model, LanguageTrainingOptions options, RowSchedule schedule, ScalarType? computeType)
    {
        (Model, _options, _schedule, _computeType) = (model, options, schedule, computeType);
        _optimizer = OptimizerFactory.Create(
            options, Trained(model), options.LayerRateDecay < 1 ? new LayerRates(model, options.LayerRateDecay).FactorOf : null);
        Player = new Player("", _optimizer)
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

    public override IEnumerable<KeyValuePair<string, Tensor>> Weights => NetworkWeights.Of(Model);

    public override IReadOnlyList<Player> Players => [Player];

    /// <summary>What is trained.</summary>
    protected TransformerNetwork Model { get; }

    /// <summary>What is updated.</summary>
    protected Player Player { get; }

    /// <summary>Weights that are not in memory; null where all are, and before the run.</summary>
    protected FrozenWeights? Frozen { get; private set; }

    /// <summary>Whether dropout is at work in training.</summary>
    protected virtual bool HasDropout => true;

    public override string Fingerprint()
    {
        using var fingerprint = new RunFingerprint(_options);
        fingerprint.AddJson(Model.Dropout);
        fingerprint.AddJson(Model.Lora);
        NetworkWeights.AddTo(fingerprint, Model);
        AddRows(fingerprint);
        return fingerprint.Value;
    }

    public override void Begin() => Model.ComputeType = _computeType;

    public override void Prepare(string folder, int step, CancellationToken cancellationToken)
    {
        Frozen = FrozenWeights.Convert(Model, Path.Combine(folder, "frozen-weights.safetensors"), _options.FrozenFormat);
        TrainableWeights.Convert(Model, _optimizer);
    }

    public override TrainingProgress ReportAfter(int step) => new() { Step = step, Epoch = (double)step / _schedule.StepsPerEpoch };

    public override TrainingProgress RunStep(TrainingStep step)
    {
        Model.train(HasDropout);
        using var dropout = step.SeedDropout(Model.DropoutSource, step.Index);
        var (update, preferences) = Update(step);
        Model.WriteTokenRows();
        if (_stepsDone++ < StepsToSettle && Model.Device.type == TorchSharp.DeviceType.CPU)
            NativeHeap.Trim();
        return new TrainingProgress
        {
            Step = step.Index + 1,
            Epoch = (step.Index + 1.0) / _schedule.StepsPerEpoch,
            Loss = update.Loss,
            GradientNorm = update.GradientNorm,
            LearningRate = update.LearningRate,
            Preferences = preferences,
        };
    }

    public override void WeightsChanged()
    {
        _optimizer.RenewCopies();
        Model.WriteTokenRows();
    }

    public override IReadOnlyList<SampleAnswer> Answer(int step, CancellationToken cancellationToken)
    {
        if (_options.SamplePrompts.Count == 0)
            return [];
        var options = _options.SampleGeneration ?? new GenerationOptions();
        options = options with { Seed = options.Seed ?? _options.Seed };
        var answers = AnswerSamples?.Invoke(_options.SamplePrompts, options, cancellationToken)
            ?? new TextGenerator(Model, Tokenizer!).Generate(_options.SamplePrompts, options, cancellationToken);
        return [.. _options.SamplePrompts.Zip(answers, (prompt, texts) => new TextAnswer(prompt, texts[0].Text))];
    }

    public override void Save(string folder)
    {
        NetworkWeights.Save(Model, folder);
        Tokenizer?.Save(folder);
    }

    public override void Restore(string folder)
    {
        NetworkWeights.Restore(Model, folder);
        Model.WriteTokenRows();
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
        Model.eval();
        Frozen?.Dispose();
        Model.WriteTokenRows(); // the run may have gone back to others
        Model.ComputeType = null;
        NetworkWeights.ClearGradients(Model);
    }

    public override void Dispose() => Player.Dispose();

    /// <summary>Makes the rows part of what the run is known by.</summary>
    protected abstract void AddRows(RunFingerprint fingerprint);

    /// <summary>Updates the weights by the gradients of a step's rows.</summary>
    protected abstract (UpdateResult Update, PreferenceMetrics? Preferences) Update(TrainingStep step);

    /// <summary>Computes the blocks of a pass twice; null for once. The caller disposes it.</summary>
    protected BlockRecomputation? Recomputation(TrainingStep step, TrainingPass pass) => _options.GradientCheckpointing
        ? new((long)step.Seed(RecomputationSeeds, (ulong)step.Index, (ulong)pass.Index), Model.DropoutSource) : null;

    /// <summary>Noise on the embeddings of a pass; null for none.</summary>
    /// <param name="step">The step.</param>
    /// <param name="sequences">What tells each sequence of the pass apart, in its order.</param>
    protected EmbeddingNoise? Noise(TrainingStep step, IEnumerable<ulong> sequences) => _options.NeftuneNoiseAlpha == 0 ? null
        : new(_options.NeftuneNoiseAlpha, [.. sequences.Select(sequence => step.Seed(EmbeddingSeeds, (ulong)step.Index, sequence))]);

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
