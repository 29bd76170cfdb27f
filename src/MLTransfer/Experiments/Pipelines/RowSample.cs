using MLTransfer.Torch.Numerics;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer.Experiments.Pipelines;

/// <summary>Some rows of a view, in their order.</summary>
internal sealed class RowSample : IDataView
{
    private readonly IDataView _source;
    private readonly bool[] _isTaken;
    private readonly int _taken;

    /// <param name="source">The view.</param>
    /// <param name="count">Its rows.</param>
    /// <param name="taken">How many are taken.</param>
    /// <param name="seed">Decides which; more rows of the same seed have those of fewer among them.</param>
    public RowSample(IDataView source, int count, int taken, long seed)
    {
        (_source, _taken, _isTaken) = (source, taken, new bool[count]);
        foreach (var row in new SplitMix64((ulong)seed).Permutation(count).Take(taken))
            _isTaken[row] = true;
    }

    public bool CanShuffle => false;

    public DataViewSchema Schema => _source.Schema;

    /// <summary>Counts rows by going through them.</summary>
    public static long Count(IDataView view)
    {
        using var cursor = view.GetRowCursor([]);
        long count = 0;
        while (cursor.MoveNext())
            count++;
        return count;
    }

    public long? GetRowCount() => _taken;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) =>
        new Cursor(_source.GetRowCursor(columnsNeeded), _isTaken);

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];

    private sealed class Cursor(DataViewRowCursor source, bool[] isTaken) : DataViewRowCursor
    {
        private long _position = -1;
        private int _sourceRow = -1;

        public override long Position => _position;

        public override long Batch => source.Batch;

        public override DataViewSchema Schema => source.Schema;

        public override bool IsColumnActive(DataViewSchema.Column column) => source.IsColumnActive(column);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => source.GetGetter<TValue>(column);

        public override ValueGetter<DataViewRowId> GetIdGetter() => source.GetIdGetter();

        public override bool MoveNext()
        {
            while (source.MoveNext())
            {
                if (!isTaken[++_sourceRow])
                    continue;
                _position++;
                return true;
            }

            _position = -1;
            return false;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                source.Dispose();
            base.Dispose(disposing);
        }
    }
}
