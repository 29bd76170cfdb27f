using System.Diagnostics;

namespace MLTransfer.Torch.Checkpoints.Hub;

/// <summary>Passes on at most ten reports a second, and the very last one always.</summary>
internal sealed class ProgressThrottle(IProgress<DownloadProgress>? progress, int fileCount)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    private long _last;

    public void Report(HubFile file, int fileIndex, long bytesDone, bool isLast = false)
    {
        if (progress is null || (!isLast && _last != 0 && Stopwatch.GetElapsedTime(_last) < Interval))
            return;
        _last = Stopwatch.GetTimestamp();
        progress.Report(new DownloadProgress(file.Name, bytesDone, file.Size, fileIndex, fileCount));
    }
}
