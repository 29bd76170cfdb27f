using MLTransfer.Networks;
using MLTransfer.Columns;
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

    private protected override IEnumerable<OutputColumn> Outputs(SchemaShape inputSchema) =>
        [new OutputColumn(_output, NetworkOutputKinds.OfLabels(LabelRole.Check(inputSchema)).TypeOf(s_unknownShape))];

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
            var trainer = new NetworkTrainer(network, _options.Training with { Seed = seed });
            var (training, validation) = ReadRows(input, columns);
            channel.Info($"Training {network.TrainableParameters.Sum(p => p.Value.numel())} of {network.ParameterCount} parameters on "
                + $"{training.Count} rows; {validation.Count} rows for validation.");
            channel.Info($"Training data: {training.Report}. Memory: {trainer.EstimateMemory()}.");
            var log = new NetworkTrainingLog(channel, _options.Training, _options.Progress);
            var history = trainer.Train(training, validation, log, _options.CancellationToken);
            log.Finished(history);
            return new TorchModuleTransformer(network, columns, _options.TransformBatchSize, history);
        });
    }

    private TransferNetwork CreateNetwork(DataViewSchema schema, long seed)
    {
        var shape = _options.InputShape ?? _options.Pretrained?.InputShape ?? TensorColumn.OwnShape(InputRole.Find(schema), channels: 3)
            ?? throw new ArgumentException(
                $"The images of input column '{_input}' have no common size. Put ResizeImages in front, or set "
                + $"{nameof(TorchModuleOptions.InputShape)}.");
        TensorColumn.Find(
            InputRole, schema, shape, _options.InputShape is null ? "the network takes" : $"{nameof(TorchModuleOptions.InputShape)} is");
        var pretrained = _options.Pretrained?.Load(shape);
        return Ownership.Pass(pretrained, () => TransferNetwork.Create(pretrained, _options.NewLayers, shape, seed));
    }

    private TorchModuleColumns CreateColumns(TransferNetwork network, DataViewSchema schema)
    {
        var label = TensorColumn.Find(LabelRole, schema, network.OutputShape, "the network gives").Type.KindOf();
        if (label == ColumnKind.Key && _options.Training.Loss != TrainingLoss.CategoricalCrossEntropy)
        {
            throw new ArgumentException(
                $"The label column '{_label}' holds classes (keys), which go with {nameof(ModuleTrainingOptions.Loss)} = "
                + $"{TrainingLoss.CategoricalCrossEntropy}; it is {_options.Training.Loss}.");
        }

        var columns = new TorchModuleColumns
        {
            Input = _input,
            Output = _output,
            OutputKind = NetworkOutputKinds.OfLabels(label),
            InputIsImage = InputRole.Find(schema).Type.KindOf() == ColumnKind.Image,
            InputShape = network.InputShape,
            OutputShape = network.OutputShape,
            InputScaling = _options.InputScaling,
            OutputScaling = _options.OutputScaling,
        };
        columns.Check();
        return columns;
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
