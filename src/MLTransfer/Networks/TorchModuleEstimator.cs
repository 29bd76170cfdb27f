using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Described;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Image;
using static Microsoft.ML.SchemaShape.Column;

namespace MLTransfer.Networks;

/// <summary>
/// Puts new layers on a pretrained network and trains them, on a column of vectors, numbers or images.
/// </summary>
/// <remarks>
/// Training rows are kept in memory, or of a wholly frozen network its features of them. The same data, options and seed give the same weights to the bit on
/// the same machine with the same thread count.
/// </remarks>
public sealed class TorchModuleEstimator : IEstimator<TorchModuleTransformer>
{
    private readonly IHost _host;
    private readonly TorchModuleOptions _options;
    private readonly string _input;
    private readonly string _output;
    private readonly string _label;

    internal TorchModuleEstimator(
        IHostEnvironment environment, string outputColumnName, string inputColumnName, string labelColumnName, TorchModuleOptions options)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(outputColumnName);
        ArgumentException.ThrowIfNullOrWhiteSpace(inputColumnName);
        ArgumentException.ThrowIfNullOrWhiteSpace(labelColumnName);
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        (_output, _input, _label, _options) = (outputColumnName, inputColumnName, labelColumnName, options);
        _host = environment.Register(nameof(TorchModuleEstimator));
    }

    /// <summary>The schema after the transformer that <see cref="Fit"/> makes.</summary>
    /// <exception cref="ArgumentException">A column is missing or has a type that a network cannot take; sizes are checked by <see cref="Fit"/>.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        TensorColumn.Check(inputSchema, "input", _input, isLabel: false);
        var label = TensorColumn.Check(inputSchema, "label", _label, isLabel: true);
        var columns = inputSchema.ToDictionary(column => column.Name);
        columns[_output] = label switch
        {
            { ItemType: ImageDataViewType } => new SchemaShape.Column(_output, VectorKind.Scalar, label.ItemType, isKey: false),
            { Kind: VectorKind.Scalar, IsKey: false } => new SchemaShape.Column(_output, VectorKind.Scalar, NumberDataViewType.Single, isKey: false),
            _ => new SchemaShape.Column(_output, VectorKind.Vector, NumberDataViewType.Single, isKey: false),
        };
        return new SchemaShape(columns.Values);
    }

    /// <summary>Trains the new layers, and of the pretrained network what is not frozen.</summary>
    /// <param name="input">Rows with the input and the label column.</param>
    /// <exception cref="ArgumentException">
    /// A column is missing or has another type or size, layers do not fit each other, an option does not fit the network, or there are no rows.
    /// </exception>
    /// <exception cref="IOException">The pretrained network cannot be read.</exception>
    /// <exception cref="InvalidDataException">The pretrained network's file is damaged.</exception>
    /// <exception cref="NotSupportedException">The pretrained network has an operator or a type that is not supported; the message names it.</exception>
    /// <exception cref="InvalidOperationException">A row has a missing, infinite or unfit value; the message names row and column.</exception>
    /// <exception cref="OperationCanceledException">Training was cancelled.</exception>
    /// <exception cref="TrainingDivergedException">The loss became NaN or infinite.</exception>
    public TorchModuleTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        GetOutputSchema(SchemaShape.Create(input.Schema));
        using var channel = _host.Start("Training new layers");
        var seed = _options.Seed ?? Seeds.Of(_host);
        var network = CreateNetwork(input.Schema, seed);
        try
        {
            if (network.Pretrained is { } pretrained)
                _options.Freezing.Apply(pretrained);
            var columns = CreateColumns(
                network, TensorColumn.Find(input.Schema, "input", _input, isLabel: false), TensorColumn.Find(input.Schema, "label", _label, isLabel: true));
            var trainer = new NetworkTrainer(network, _options.ToTrainingOptions(seed));
            var (training, validation) = ReadRows(input, columns);
            channel.Info($"Training {network.TrainableParameters.Sum(p => p.Value.numel())} of {network.ParameterCount} parameters on {training.Count} rows; "
                + $"{validation.Count} rows for validation.");
            var log = new EpochLog(channel, _options);
            var history = trainer.Train(training, validation, log, _options.CancellationToken);
            log.Finished(history);
            return new TorchModuleTransformer(network, columns, _options.TransformBatchSize, history);
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    private TransferNetwork CreateNetwork(DataViewSchema schema, long seed)
    {
        var column = TensorColumn.Find(schema, "input", _input, isLabel: false);
        var wanted = _options.InputShape ?? _options.Pretrained?.InputShape;
        var shape = wanted ?? TensorColumn.OwnShape(column, channels: 3) ?? throw new ArgumentException(
            $"The images of input column '{_input}' have no common size. Put ResizeImages in front, or set {nameof(TorchModuleOptions.InputShape)}.");
        TensorColumn.CheckShape(column, "input", shape, _options.InputShape is null ? "the network takes" : $"{nameof(TorchModuleOptions.InputShape)} is");
        var pretrained = _options.Pretrained?.Load(shape);
        try
        {
            return TransferNetwork.Create(pretrained, _options.NewLayers, shape, seed);
        }
        catch
        {
            pretrained?.Dispose();
            throw;
        }
    }

    private TorchModuleColumns CreateColumns(TransferNetwork network, DataViewSchema.Column input, DataViewSchema.Column label)
    {
        TensorColumn.CheckShape(label, "label", network.OutputShape, "the network gives");
        if (label.Type is KeyDataViewType && _options.Loss != TrainingLoss.CategoricalCrossEntropy)
        {
            throw new ArgumentException(
                $"The label column '{_label}' holds classes (keys), which go with {nameof(TorchModuleOptions.Loss)} = {TrainingLoss.CategoricalCrossEntropy}; "
                + $"it is {_options.Loss}.");
        }

        var columns = new TorchModuleColumns
        {
            Input = _input,
            Output = _output,
            OutputKind = label.Type switch
            {
                ImageDataViewType => NetworkOutputKind.Image,
                VectorDataViewType or KeyDataViewType => NetworkOutputKind.Vector,
                _ => NetworkOutputKind.Scalar,
            },
            InputIsImage = input.Type is ImageDataViewType,
            InputShape = network.InputShape,
            OutputShape = network.OutputShape,
            InputScaling = _options.InputScaling,
            OutputScaling = _options.OutputScaling,
        };
        columns.Check();
        return columns;
    }

    private (TrainingColumns Training, TrainingColumns Validation) ReadRows(IDataView input, TorchModuleColumns columns)
    {
        var rows = Read(input);
        if (rows.Count == 0)
            throw new ArgumentException("There is nothing to train on: the data has no rows.", nameof(input));
        return _options.ValidationData is { } validationData ? (rows, Read(validationData)) : rows.Split(_options.ValidationFraction);

        TrainingColumns Read(IDataView data) => TrainingColumns.Read(data, columns, _label, _options.Loss, _options.CancellationToken);
    }
}
