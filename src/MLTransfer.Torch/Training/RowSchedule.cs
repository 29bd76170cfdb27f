namespace MLTransfer.Torch.Training;

/// <summary>Which rows a run's steps read. A step's number alone decides, so that a resumed run goes on with the same rows.</summary>
internal sealed class RowSchedule
{
    private readonly int _rowCount;
    private readonly int _rowsPerStep;
    private readonly bool _fillsSteps;
    private readonly Func<int, int[]> _orderOfEpoch;
    private (int Epoch, int[] Rows) _order = (-1, []);

    /// <param name="rowCount">At least 1.</param>
    /// <param name="rowsPerStep">The most rows of a step.</param>
    /// <param name="orderOfEpoch">The order in which the epoch of a number, from 0, goes through the rows.</param>
    /// <param name="fillsSteps">Whether the last step of an epoch takes what it lacks from the next one; else it has fewer rows, and no
    /// step has more than there are.</param>
    public RowSchedule(int rowCount, long rowsPerStep, Func<int, int[]> orderOfEpoch, bool fillsSteps = false)
    {
        (_rowCount, _orderOfEpoch, _fillsSteps) = (rowCount, orderOfEpoch, fillsSteps);
        _rowsPerStep = (int)(fillsSteps ? rowsPerStep : Math.Min(rowCount, rowsPerStep));
    }

    /// <summary>For runs that go through their rows in epochs.</summary>
    /// <param name="options">Decide on rows a step.</param>
    /// <param name="rowCount">At least 1.</param>
    /// <param name="orderOfEpoch">The order in which the epoch of a number, from 0, goes through the rows.</param>
    public static RowSchedule Of(EpochTrainingOptions options, int rowCount, Func<int, int[]> orderOfEpoch) =>
        new(rowCount, (long)options.BatchSize * options.GradientAccumulationSteps * (options.Collective?.Size ?? 1), orderOfEpoch);

    /// <summary>The most rows of a step.</summary>
    public int RowsPerStep => _rowsPerStep;

    /// <summary>The steps that an epoch takes, its last one included.</summary>
    public int StepsPerEpoch => (_rowCount + _rowsPerStep - 1) / _rowsPerStep;

    /// <summary>The rows of the step after <paramref name="step"/> earlier ones.</summary>
    public int[] RowsOfStep(int step)
    {
        if (!_fillsSteps)
            return [.. OrderOf(step / StepsPerEpoch).Skip(step % StepsPerEpoch * _rowsPerStep).Take(_rowsPerStep)];
        var rows = new int[_rowsPerStep];
        for (var i = 0; i < rows.Length; i++)
        {
            var place = (long)step * rows.Length + i;
            rows[i] = OrderOf((int)(place / _rowCount))[place % _rowCount];
        }

        return rows;
    }

    private int[] OrderOf(int epoch)
    {
        if (_order.Epoch != epoch)
            _order = (epoch, _orderOfEpoch(epoch));
        return _order.Rows;
    }
}
