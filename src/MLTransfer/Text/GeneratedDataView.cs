using Microsoft.ML;

namespace MLTransfer.Text;

/// <summary>Data with generated columns. Nothing is read or generated before a cursor asks for it.</summary>
internal sealed class GeneratedDataView(IDataView source, GeneratingTransformer transformer) : IDataView
{
    private readonly GeneratedSchema _schema = new(source.Schema, transformer.Columns);

    public DataViewSchema Schema => _schema.Output;

    public bool CanShuffle => false;

    public long? GetRowCount() => source.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        ArgumentNullException.ThrowIfNull(columnsNeeded);
        var wanted = columnsNeeded.ToList();
        wanted.ForEach(_schema.Check);
        var cursor = source.GetRowCursor(_schema.Dependencies(wanted));
        return wanted.Any(column => _schema.Kind(column.Index) is not null)
            ? new GeneratingCursor(cursor, _schema, wanted, transformer)
            : new PassThroughCursor(cursor, _schema);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];
}
