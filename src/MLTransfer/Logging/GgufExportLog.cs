using System.Globalization;
using MLTransfer.Torch.Exports;
using Microsoft.ML.Runtime;

namespace MLTransfer.Logging;

/// <summary>Writes each exported file to <c>MLContext.Log</c>, and warns where llama.cpp computes something else.</summary>
internal sealed class GgufExportLog(IChannel channel) : ProgressLog<GgufExportedFile>(channel, next: null)
{
    protected override void Write(GgufExportedFile value)
    {
        Channel.Info(string.Create(CultureInfo.InvariantCulture, $"Wrote {value.Path}, {value.ByteCount / 1e6:0.0} MB."));
        if (value.Remark is { } remark)
            Channel.Warning(remark);
    }
}
