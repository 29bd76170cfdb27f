using System.Globalization;
using MLTransfer.Onnx;
using Microsoft.ML.Runtime;

namespace MLTransfer.Text;

/// <summary>Tells <c>MLContext.Log</c> of the files of an export.</summary>
internal sealed class OnnxExportLog(IChannel channel) : IProgress<OnnxExportedFile>
{
    public void Report(OnnxExportedFile value)
    {
        var check = value.LargestDifference is { } difference
            ? string.Create(CultureInfo.InvariantCulture, $"its logits differ from the engine's by at most {difference:0.0e+0}")
            : "unchecked";
        channel.Info(string.Create(CultureInfo.InvariantCulture, $"Wrote {value.Name}, {value.Precision}, {value.ByteCount / 1e6:0.0} MB; {check}."));
    }
}
