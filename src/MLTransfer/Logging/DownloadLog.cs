using System.Globalization;
using MLTransfer.Torch.Checkpoints.Hub;
using Microsoft.ML.Runtime;

namespace MLTransfer.Logging;

/// <summary>Tells how far a download has come.</summary>
internal sealed class DownloadLog(IChannel channel, IProgress<DownloadProgress>? next = null) : ProgressLog<DownloadProgress>(channel, next)
{
    protected override void Write(DownloadProgress value)
    {
        if (IsDue())
        {
            Channel.Info(string.Create(CultureInfo.InvariantCulture,
                $"Downloading {value.File}: {value.BytesDone / 1e6:0} of {value.BytesTotal / 1e6:0} MB."));
        }
    }
}
