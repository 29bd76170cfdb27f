using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer.Text;

/// <summary>Maps single rows, for <c>PredictionEngine</c>.</summary>
internal sealed class GeneratedRowMapper(DataViewSchema inputSchema, GeneratingTransformer transformer) : IRowToRowMapper
{
    private readonly GeneratedSchema _schema = new(inputSchema, transformer.Columns);

    public DataViewSchema InputSchema => _schema.Input;

    public DataViewSchema OutputSchema => _schema.Output;

    public IEnumerable<DataViewSchema.Column> GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns) =>
        _schema.Dependencies(dependingColumns);

    public DataViewRow GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(activeColumns);
        return new GeneratedRow(input, _schema, activeColumns, transformer);
    }
}
