using Microsoft.ML;

namespace MLTransfer.Columns;

/// <summary>Data with new columns. Nothing is read or computed before a cursor asks for it.</summary>
internal sealed class MappedDataView(IDataView source, IColumnMapping mapping) : IDataView
{
    private readonly MappedSchema _schema = new(source.Schema, mapping);

    public DataViewSchema Schema => _schema.Output;

    public bool CanShuffle => false;

    public long? GetRowCount() => source.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        ArgumentNullException.ThrowIfNull(columnsNeeded);
        var wanted = columnsNeeded.ToList();
        wanted.ForEach(_schema.Check);
        var cursor = source.GetRowCursor(_schema.Dependencies(wanted));
        return wanted.Any(column => _schema.IsNew(column.Index))
            ? new MappedCursor(cursor, _schema, wanted, mapping)
            : new PassThroughCursor(cursor, _schema);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];
}
