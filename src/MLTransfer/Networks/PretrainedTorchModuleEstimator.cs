using MLTransfer.Columns;
using MLTransfer.Networks;
using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Training.Described;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLTransfer;

/// <summary>Computes a pretrained network as it is; fitting trains nothing and reads no row.</summary>
public sealed class PretrainedTorchModuleEstimator : ColumnMappingEstimator<TorchModuleTransformer>
{
    // A schema's shape tells no sizes.
    private static readonly long[] s_unknownShape = [1, 1, 1];

    private readonly PretrainedNetwork _network;
    private readonly ApplyTorchModuleOptions _options;
    private readonly string _input;
    private readonly string _output;

    internal PretrainedTorchModuleEstimator(
        IHostEnvironment environment, string outputColumnName, string inputColumnName, PretrainedNetwork network,
        ApplyTorchModuleOptions options)
        : base(environment, "Loading a network")
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(outputColumnName);
        ArgumentException.ThrowIfNullOrWhiteSpace(inputColumnName);
        ArgumentNullException.ThrowIfNull(network);
        options.Check();
        (_output, _input, _network, _options) = (outputColumnName, inputColumnName, network, options);
    }

    private protected override IEnumerable<ColumnRole> Roles => [InputRole];

    private ColumnRole InputRole => TensorColumn.Input(_input);

    private protected override IEnumerable<OutputColumn> Outputs(SchemaShape inputSchema) =>
        [new OutputColumn(_output, _options.Output.TypeOf(s_unknownShape))];

    private protected override TorchModuleTransformer Fit(IDataView input, IChannel channel)
    {
        var network = LoadNetwork(input.Schema);
        return Ownership.Pass(network, () =>
        {
            var columns = new TorchModuleColumns
            {
                Input = _input,
                Output = _output,
                OutputKind = _options.Output,
                InputIsImage = InputRole.Find(input.Schema).Type.KindOf() == ColumnKind.Image,
                InputShape = network.InputShape,
                OutputShape = network.OutputShape,
                InputScaling = _options.InputScaling,
                OutputScaling = _options.OutputScaling,
            };
            columns.Check();
            return new TorchModuleTransformer(network, columns, _options.TransformBatchSize, TrainingHistory.None);
        });
    }

    private TransferNetwork LoadNetwork(DataViewSchema schema)
    {
        if (_network.LoadTrained(Host) is { Network: var trained })
        {
            return Ownership.Pass(trained, () =>
            {
                TensorColumn.Find(InputRole, schema, trained.InputShape, "the network takes");
                return trained;
            });
        }

        var shape = NetworkInput.ShapeOf(InputRole, schema, _options.InputShape, _network);
        var pretrained = _network.Load(shape);
        return Ownership.Pass(pretrained, () => TransferNetwork.Create(pretrained, [], shape, seed: 0));
    }
}
