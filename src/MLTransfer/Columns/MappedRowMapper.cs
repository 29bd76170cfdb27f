using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer.Columns;

/// <summary>Maps single rows, for <c>PredictionEngine</c>.</summary>
internal sealed class MappedRowMapper(DataViewSchema inputSchema, IColumnMapping mapping) : IRowToRowMapper
{
    private readonly MappedSchema _schema = new(inputSchema, mapping);

    public DataViewSchema InputSchema => _schema.Input;

    public DataViewSchema OutputSchema => _schema.Output;

    public IEnumerable<DataViewSchema.Column> GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns) =>
        _schema.Dependencies(dependingColumns);

    public DataViewRow GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(activeColumns);
        return new MappedRow(input, _schema, activeColumns, mapping);
    }
}
