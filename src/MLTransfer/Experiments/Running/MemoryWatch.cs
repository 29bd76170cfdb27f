namespace MLTransfer.Experiments.Running;

/// <summary>Looks at the memory of a process while a trial runs.</summary>
internal sealed class MemoryWatch : IDisposable
{
    private const double Megabyte = 1e6;
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(100);

    private readonly Func<long> _memory;
    private readonly long _before;
    private readonly double? _limit;
    private readonly Action<string> _exceeded;
    private readonly Timer _timer;
    private long _peak;

    /// <param name="memory">The bytes that the process has.</param>
    /// <param name="limitInMegabytes">The most that it may have; null for no limit.</param>
    /// <param name="exceeded">Told once, with a message, where it has more.</param>
    public MemoryWatch(Func<long> memory, double? limitInMegabytes, Action<string> exceeded)
    {
        (_memory, _before, _limit, _exceeded) = (memory, memory(), limitInMegabytes, exceeded);
        _timer = new Timer(_ => Look(), null, s_interval, s_interval);
    }

    /// <summary>The most beyond what there was when the trial began.</summary>
    public double PeakInMegabytes => Math.Max(0, _peak - _before) / Megabyte;

    /// <summary>Looks now.</summary>
    public void Look()
    {
        var now = _memory();
        var before = Volatile.Read(ref _peak);
        if (now > before)
            Volatile.Write(ref _peak, now);
        if (_limit is { } limit && now / Megabyte > limit && before / Megabyte <= limit)
            _exceeded(FormattableString.Invariant($"The process has {now / Megabyte:0} MB, more than the limit of {limit:0} MB."));
    }

    public void Dispose() => _timer.Dispose();
}
