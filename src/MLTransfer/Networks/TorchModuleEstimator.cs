using MLTransfer.Cards;
using MLTransfer.Networks;
using MLTransfer.Columns;
using MLTransfer.Logging;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Training.Described;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLTransfer;

/// <summary>
/// Puts new layers on a pretrained network and trains them, on a column of vectors, numbers or images.
/// </summary>
/// <remarks>
/// Training rows are kept in memory, or of a wholly frozen network its features of them. The same data, options and seed give the same
/// weights to the bit on the same machine with the same thread count.
/// </remarks>
public sealed class TorchModuleEstimator : ColumnMappingEstimator<TorchModuleTransformer>
{
    // A schema's shape tells whether a column is a vector or an image, but no sizes.
    private static readonly long[] s_unknownShape = [1, 1, 1];

    private readonly TorchModuleOptions _options;
    private readonly string _input;
    private readonly string _output;
    private readonly string _label;

    internal TorchModuleEstimator(
        IHostEnvironment environment, string outputColumnName, string inputColumnName, string labelColumnName, TorchModuleOptions options)
        : base(environment, "Training new layers")
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(outputColumnName);
        ArgumentException.ThrowIfNullOrWhiteSpace(inputColumnName);
        ArgumentException.ThrowIfNullOrWhiteSpace(labelColumnName);
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        (_output, _input, _label, _options) = (outputColumnName, inputColumnName, labelColumnName, options);
    }

    /// <summary>
    /// Counts what <see cref="ColumnMappingEstimator{T}.Fit(IDataView)"/> would train on, which logs the same; what cannot be trained on,
    /// it refuses, and this counts.
    /// </summary>
    /// <param name="data">The rows.</param>
    /// <exception cref="ArgumentException">A column is missing or has another type or size.</exception>
    /// <exception cref="IOException">The pretrained network cannot be found or read.</exception>
    /// <exception cref="InvalidOperationException">A value is missing or of another size.</exception>
    public NetworkDataReport DescribeTrainingData(IDataView data)
    {
        ArgumentNullException.ThrowIfNull(data);
        Check(Roles, SchemaShape.Create(data.Schema));
        using var network = CreateNetwork(data.Schema, SeedOf(_options.Seed));
        return NetworkTrainingRows.Describe(
            data, CreateColumns(network, data.Schema), _label, _options.Training.Loss, _options.CancellationToken);
    }

    private protected override IEnumerable<ColumnRole> Roles => [InputRole, LabelRole];

    private ColumnRole InputRole => TensorColumn.Input(_input);

    private ColumnRole LabelRole => TensorColumn.Label(_label);

    private protected override IEnumerable<OutputColumn> Outputs(SchemaShape inputSchema)
    {
        var label = LabelRole.Check(inputSchema);
        var names = label == ColumnKind.Key && inputSchema.TryFindColumn(_label, out var column) ? KeyNames.Of(column) : null;
        return ColumnsOf(label, names, isImage: false, s_unknownShape, s_unknownShape).Outputs;
    }

    private protected override TorchModuleTransformer Fit(IDataView input, IChannel channel)
    {
        if (_options.ValidationData is { } validationData)
            Check(Roles, SchemaShape.Create(validationData.Schema));
        var seed = SeedOf(_options.Seed);
        var network = CreateNetwork(input.Schema, seed);
        return Ownership.Pass(network, () =>
        {
            if (network.Pretrained is { } pretrained)
                _options.Freezing.Apply(pretrained);
            var columns = CreateColumns(network, input.Schema);
            var options = TrainingObserver.Place(_options.Training with { Seed = seed });
            var trainer = new NetworkTrainer(network, options)
            {
                PixelOf = columns.OutputKind == NetworkOutputKind.Image ? _options.OutputScaling.ToPixel : null,
            };
            var (training, validation) = ReadRows(input, columns);
            channel.Info($"Training {network.TrainableParameters.Sum(p => p.Value.numel())} of {network.ParameterCount} parameters on "
                + $"{training.Count} rows; {validation.Count} rows for validation.");
            channel.Info($"Training data: {training.Report}. Memory: {trainer.EstimateMemory()}.");
            var computation = TrainingComputation.Of(options);
            ComputationLog.Tell(channel, computation);
            var log = new NetworkTrainingLog(channel, _options.Training, _options.Progress);
            var history = trainer.Train(training, validation, log, _options.CancellationToken, _options.StopAndKeep);
            log.Finished(history);
            var epoch = history.Epochs[history.ModelEpoch - 1];
            return new TorchModuleTransformer(network, columns, _options.TransformBatchSize, history)
            {
                Card = ModelCard.OfTraining(
                    _options.Pretrained?.Origin, [new("rows", $"{training.Count}"), new("validation rows", $"{validation.Count}")],
                    [
                        ("loss", epoch.Loss), (history.MetricName, epoch.Metric), ("validation loss", epoch.ValidationLoss),
                        ($"validation {history.MetricName}", epoch.ValidationMetric), ("epochs", history.Epochs.Count),
                    ],
                    computation.Fix(_options.Training with { Seed = seed })),
            };
        });
    }

    private TransferNetwork CreateNetwork(DataViewSchema schema, long seed)
    {
        if (_options.Pretrained?.LoadTrained(Host) is { } start)
            return Ownership.Pass(start.Network, () => GoOn(start.Network, start.Columns, schema, seed));
        var shape = NetworkInput.ShapeOf(InputRole, schema, _options.InputShape, _options.Pretrained);
        var pretrained = _options.Pretrained?.Load(shape);
        return Ownership.Pass(pretrained, () => TransferNetwork.Create(pretrained, _options.NewLayers, shape, seed));
    }

    private TransferNetwork GoOn(TransferNetwork network, TorchModuleColumns trainedWith, DataViewSchema schema, long seed)
    {
        var shape = _options.InputShape ?? network.InputShape;
        if (!shape.SequenceEqual(network.InputShape))
        {
            throw new ArgumentException(
                $"{nameof(TorchModuleOptions.InputShape)} is [{string.Join(", ", shape)}], but the network that is trained on takes "
                + $"[{string.Join(", ", network.InputShape)}]. Leave it out.");
        }

        var column = TensorColumn.Find(InputRole, schema, shape, "the network takes");
        if (trainedWith.InputIsImage && column.Type.KindOf() == ColumnKind.Image 
            && !trainedWith.InputScaling.Equals(_options.InputScaling, shape[0]))
        {
            throw new ArgumentException(
                $"{nameof(TorchModuleOptions.InputScaling)} is another than the network that is trained on was trained with, "
                + $"{trainedWith.InputScaling}: set it to that.");
        }

        return network.Extend(_options.NewLayers, seed);
    }

    private TorchModuleColumns CreateColumns(TransferNetwork network, DataViewSchema schema)
    {
        var column = TensorColumn.Find(LabelRole, schema, network.OutputShape, "the network gives");
        var label = column.Type.KindOf();
        if (label == ColumnKind.Key && _options.Training.Loss != TrainingLoss.CategoricalCrossEntropy)
        {
            throw new ArgumentException(
                $"The label column '{_label}' holds classes (keys), which go with {nameof(ModuleTrainingOptions.Loss)} = "
                + $"{TrainingLoss.CategoricalCrossEntropy}; it is {_options.Training.Loss}.");
        }

        var columns = ColumnsOf(
            label, label == ColumnKind.Key ? KeyNames.Of(column) : null,
            InputRole.Find(schema).Type.KindOf() == ColumnKind.Image, network.InputShape, network.OutputShape);
        columns.Check();
        return columns;
    }

    private TorchModuleColumns ColumnsOf(
        ColumnKind label, KeyNames? names, bool isImage, IReadOnlyList<long> inputShape, IReadOnlyList<long> outputShape)
    {
        var givesProbability = label == ColumnKind.Boolean && _options.Training.Loss == TrainingLoss.BinaryCrossEntropy;
        var columns = new TorchModuleColumns
        {
            Input = _input,
            Output = _output,
            OutputKind = NetworkOutputKinds.OfLabels(label),
            InputIsImage = isImage,
            InputShape = inputShape,
            OutputShape = outputShape,
            InputScaling = _options.InputScaling,
            OutputScaling = _options.OutputScaling,
            PredictedLabel = label == ColumnKind.Key || givesProbability ? _options.PredictedLabelColumnName : null,
            Score = givesProbability ? _options.ScoreColumnName : null,
            ClassNames = names,
        };
        CheckName(nameof(TorchModuleOptions.PredictedLabelColumnName), columns.PredictedLabel, _output, _label);
        CheckName(nameof(TorchModuleOptions.ScoreColumnName), columns.Score, _output, _label, columns.PredictedLabel);
        return columns;
    }

    private static void CheckName(string option, string? name, params IEnumerable<string?> others)
    {
        if (name is not null && others.Contains(name))
        {
            throw new ArgumentException(
                $"{option} is '{name}', which another column is called already. Give one of them another name (ML.NET expects what the "
                + $"network gives in 'Score' for several classes and in 'Probability' for two), or set {option} to null for none.", option);
        }
    }

    private (NetworkTrainingRows Training, NetworkTrainingRows Validation) ReadRows(IDataView input, TorchModuleColumns columns)
    {
        var rows = Read(input);
        if (rows.Count == 0)
            throw new ArgumentException("There is nothing to train on: the data has no rows.", nameof(input));
        return _options.ValidationData is { } validationData ? (rows, Read(validationData)) : rows.Split(_options.ValidationFraction);

        NetworkTrainingRows Read(IDataView data) =>
            NetworkTrainingRows.Read(data, columns, _label, _options.Training.Loss, _options.CancellationToken);
    }
}
