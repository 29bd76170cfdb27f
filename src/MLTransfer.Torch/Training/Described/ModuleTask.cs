using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Training.Optimizers;
using MLTransfer.Torch.Training.Reports;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Described;

/// <summary>
/// What a run does to train new layers, and of the network under them what is not frozen. A saved run holds what training changes.
/// </summary>
internal sealed class ModuleTask : TrainingTask<ModuleProgress>
{
    private const string WeightsFile = "network.safetensors";

    private static readonly JsonSerializerOptions s_json = new() { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    private readonly TransferNetwork _network;
    private readonly ModuleTrainingOptions _options;
    private readonly RunPlan _plan;
    private readonly int _stepsPerEpoch;
    private readonly RowLosses _losses;
    private readonly Player _player;
    private ITrainingRows _training;
    private ITrainingRows? _validation;
    private EpochSums _sums = EpochSums.Zero;

    /// <param name="network">What is trained.</param>
    /// <param name="options">How.</param>
    /// <param name="plan">The run's.</param>
    /// <param name="stepsPerEpoch">How many steps go through all rows.</param>
    /// <param name="losses">Of the network.</param>
    /// <param name="training">The rows to train on.</param>
    /// <param name="validation">Those to evaluate with; null for none.</param>
    public ModuleTask(
        TransferNetwork network, ModuleTrainingOptions options, RunPlan plan, int stepsPerEpoch, RowLosses losses, ITrainingRows training,
        ITrainingRows? validation)
    {
        (_network, _options, _plan, _stepsPerEpoch, _losses, _training, _validation) =
            (network, options, plan, stepsPerEpoch, losses, training, validation);
        _player = new Player("", CreateOptimizer()) { MaximumGradientNorm = options.MaximumGradientNorm };
    }

    /// <summary>Told after every epoch.</summary>
    public IProgress<EpochResult>? Progress { get; init; }

    /// <summary>The pixel, 0 to 255, that a value of a channel stands for; null where outputs are no pictures.</summary>
    public Func<int, float, float>? PixelOf { get; init; }

    /// <summary>The epochs that are through, those of the run that this one goes on from included.</summary>
    public IReadOnlyList<EpochResult> Epochs => _sums.Epochs;

    public override IEnumerable<KeyValuePair<string, Tensor>> Weights => _network.State;

    public override IReadOnlyList<Player> Players => [_player];

    public override JsonNode? State => JsonSerializer.SerializeToNode(_sums, s_json);

    public override string Fingerprint()
    {
        using var fingerprint = new RunFingerprint(_options);
        fingerprint.AddNumbers<long>([.. _network.InputShape]);
        AddLayers(fingerprint, _network.NewLayers);
        if (_network.Pretrained is ModuleBaseNetwork { Module: var module, Program: var program })
        {
            fingerprint.AddText(module.GetType().FullName ?? "");
            AddLayers(fingerprint, module as LayerSequence);
            fingerprint.AddNumbers<byte>(program);
        }

        var trained = _network.TrainableParameters.ToList();
        foreach (var (name, parameter) in trained)
            fingerprint.AddTrained(name, parameter);
        foreach (var (name, parameter) in (_network.Pretrained?.Parameters ?? []).Where(p => !p.Value.requires_grad))
            fingerprint.AddFrozen(name, parameter);
        AddRows(fingerprint, _training);
        AddRows(fingerprint, _validation);
        return fingerprint.Value;
    }

    public override void Prepare(string folder, int step, CancellationToken cancellationToken)
    {
        if (_network.Pretrained is not { IsTrainable: false })
            return;
        _training = new FeatureRows(_network, _training, _options.BatchSize, cancellationToken);
        _validation = _validation is null ? null : new FeatureRows(_network, _validation, _options.BatchSize, cancellationToken);
    }

    public override ModuleProgress ReportAfter(int step) => new() { Step = step, Epoch = (double)step / _stepsPerEpoch };

    public override ModuleProgress RunStep(TrainingStep step)
    {
        _network.SetTraining(true);
        var number = step.Index + 1;
        var metrics = new double[1];
        using var dropout = step.SeedDropout(_network.DropoutSource, number);
        var update = step.Update(_player, [step.Rows.Length], pass =>
        {
            var (output, target) = _losses.Compute(_training, pass.Rows);
            var loss = _losses.Function.Loss(output, target); // of this pass's rows
            var share = pass.Rows.Length / pass.Normalizers[0];
            (loss * share).backward();
            metrics[0] += _losses.Function.Metric(output, target) * pass.Rows.Length;
            return loss.item<float>() * share;
        });
        step.Sum(metrics);
        if (EndsEpoch(number) && !HasFiniteWeights())
            throw new TrainingDivergedException(number, "a weight is not finite");
        _sums = _sums.Add(update.Loss, metrics[0], step.Rows.Length);
        return new ModuleProgress
        {
            Step = number,
            Epoch = (double)number / _stepsPerEpoch,
            Loss = update.Loss,
            Metric = metrics[0] / step.Rows.Length,
            GradientNorm = update.GradientNorm,
            LearningRate = update.LearningRate,
        };
    }

    public override long AmountOf(int[] rows) => rows.Length;

    public override ModuleProgress Evaluate(ModuleProgress report, CancellationToken cancellationToken)
    {
        var (loss, metric) = _losses.Evaluate(_validation!, _options.EvaluationBatchSize ?? _options.BatchSize, Ranks, cancellationToken);
        return report with { ValidationLoss = loss, ValidationMetric = metric };
    }

    public override IReadOnlyList<SampleAnswer> Answer(int step, CancellationToken cancellationToken)
    {
        var rows = _validation ?? _training;
        int[] samples = [.. Enumerable.Range(0, Math.Min(_options.SampleRows, rows.Count))];
        if (samples.Length == 0)
            return [];
        using var scope = NewDisposeScope();
        var (outputs, targets) = _losses.Outputs(rows, samples);
        return [.. samples.Select(row => Answer($"row {row}", outputs[row].contiguous(), targets[row].contiguous()))];
    }

    public override void Reported(ModuleProgress report)
    {
        if (EndsEpoch(report.Step))
            EndEpoch(report);
    }

    public override void Stop(ModuleProgress report)
    {
        if (!EndsEpoch(report.Step))
            EndEpoch(report);
    }

    public override void Save(string folder) => SafetensorsWriter.Write(Path.Combine(folder, WeightsFile), Weights);

    public override void Restore(string folder)
    {
        using var file = SafetensorsFile.Open(Path.Combine(folder, WeightsFile));
        WeightSnapshot.CopyInto(Weights, file);
    }

    public override void RestoreState(JsonNode? state) =>
        _sums = state.Deserialize<EpochSums>(s_json) is { Epochs: { } epochs } sums && !epochs.Contains(null!) ? sums
            : throw new InvalidDataException($"{SavedRun.StateFile} does not tell of the epochs.");

    public override IEnumerable<LossCurve> Curves(IReadOnlyList<ModuleProgress> history) =>
    [
        new("training", history.Where(p => p.Loss is not null).Select(p => (p.Step, p.Loss!.Value))),
        new(
            "validation", history.Where(p => p.ValidationLoss is not null).Select(p => (p.Step, p.ValidationLoss!.Value)),
            HasMarkers: true),
    ];

    public override void End() => _network.SetTraining(false);

    public override void Dispose() => _player.Dispose();

    /// <summary>The number, from 1, of the epoch that a step belongs to.</summary>
    public static int EpochOf(int step, int stepsPerEpoch) => (int)((step + stepsPerEpoch - 1L) / stepsPerEpoch);

    /// <param name="input">Names the row.</param>
    /// <param name="output">[output shape].</param>
    /// <param name="target">[output shape].</param>
    private SampleAnswer Answer(string input, Tensor output, Tensor target) =>
        PixelOf is { } pixel && output.shape is [1 or 3, _, _]
            ? new MediaAnswer(input, MediaAnswer.Picture, PngPicture.Encode(Pixels(output, pixel)))
            : new NumbersAnswer(input, output.data<float>().ToArray(), target.data<float>().ToArray());

    /// <summary>uint8, [height, width, channels].</summary>
    private static Tensor Pixels(Tensor output, Func<int, float, float> pixelOf)
    {
        var values = output.data<float>().ToArray();
        var plane = values.Length / (int)output.shape[0];
        var pixels = values.Select((value, i) => (byte)Math.Clamp(MathF.Round(pixelOf(i / plane, value)), 0, 255)).ToArray();
        return tensor(pixels, output.shape).permute(1, 2, 0);
    }

    // Weight decay spares the vectors: biases and normalization weights.
    private Optimizer CreateOptimizer() => OptimizerFactory.Create(_options, _network.TrainableParameters.Select(p => new TrainedParameter(
        p.Key, (Parameter)p.Value, Decays: p.Value.dim() > 1, HiddenMatrices.IsMatrix(p.Value))));

    private bool EndsEpoch(int step) => step % _stepsPerEpoch == 0 || step == _plan.TotalSteps;

    private void EndEpoch(ModuleProgress report)
    {
        _sums = _sums.End(EpochOf(report.Step, _stepsPerEpoch), report);
        Progress?.Report(_sums.Epochs[^1]);
    }

    // The step size may overflow where loss and gradient did not.
    private bool HasFiniteWeights()
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        return _network.TrainableParameters.All(p => p.Value.isfinite().all().item<bool>());
    }

    private static void AddLayers(RunFingerprint fingerprint, LayerSequence? layers) =>
        fingerprint.AddText(LayerJson.Write([.. (layers?.Layers ?? []).Select(layer => layer.Layer)]));

    private void AddRows(RunFingerprint fingerprint, ITrainingRows? rows)
    {
        fingerprint.AddNumber(rows?.Count ?? 0);
        var (input, target) = (new float[Elements(_network.InputShape)], new float[Elements(_network.OutputShape)]);
        for (var row = 0; row < (rows?.Count ?? 0); row++)
        {
            rows!.ReadInput(row, input);
            rows.ReadTarget(row, target);
            fingerprint.AddNumbers<float>(input);
            fingerprint.AddNumbers<float>(target);
        }

        static int Elements(IReadOnlyList<long> shape) => checked((int)shape.Aggregate(1L, (product, extent) => product * extent));
    }
}
