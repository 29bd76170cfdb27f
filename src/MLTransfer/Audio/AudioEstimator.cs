using MLTransfer.Audio;
using MLTransfer.Columns;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLTransfer;

/// <summary>
/// Makes a transformer that reads, converts, writes or draws the sounds of a column; fitting looks at the schema alone. Made by
/// <see cref="AudioCatalogExtensions"/>.
/// </summary>
public sealed class AudioEstimator : ColumnMappingEstimator<AudioTransformer>
{
    private readonly string _output;
    private readonly string _input;
    private readonly AudioOperation _operation;

    internal AudioEstimator(IHostEnvironment environment, string output, string? input, AudioOperation operation)
        : base(environment, "Looking at a column of sounds")
    {
        operation.Check();
        (_output, _input, _operation) = (output, input ?? output, operation);
    }

    private protected override IEnumerable<ColumnRole> Roles => [AudioTransformer.RoleOf(_input, _operation)];

    private protected override IEnumerable<OutputColumn> Outputs(SchemaShape inputSchema) => [new(_output, _operation.OutputType)];

    private protected override AudioTransformer Fit(IDataView input, IChannel channel) => new(_output, _input, _operation);
}
