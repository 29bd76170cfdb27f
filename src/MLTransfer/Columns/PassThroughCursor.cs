using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer.Columns;

/// <summary>A cursor over data with new columns, of which nobody wants one.</summary>
internal sealed class PassThroughCursor(DataViewRowCursor source, MappedSchema schema) : DataViewRowCursor
{
    public override DataViewSchema Schema => schema.Output;

    public override long Position => source.Position;

    public override long Batch => source.Batch;

    public override bool MoveNext() => source.MoveNext();

    public override ValueGetter<DataViewRowId> GetIdGetter() => source.GetIdGetter();

    public override bool IsColumnActive(DataViewSchema.Column column)
    {
        schema.Check(column);
        return !schema.IsNew(column.Index) && source.IsColumnActive(schema.Input[column.Index]);
    }

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) =>
        IsColumnActive(column)
            ? source.GetGetter<TValue>(schema.Input[column.Index])
            : throw new ArgumentException($"The column '{column.Name}' was not asked for when the cursor was made.", nameof(column));

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            source.Dispose();
        base.Dispose(disposing);
    }
}
