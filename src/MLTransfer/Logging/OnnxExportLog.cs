using System.Globalization;
using MLTransfer.Onnx;
using Microsoft.ML.Runtime;

namespace MLTransfer.Logging;

/// <summary>Tells of the files of an export.</summary>
/// <param name="channel">Where messages go.</param>
/// <param name="compared">What the check compares, such as "logits".</param>
internal sealed class OnnxExportLog(IChannel channel, string compared) : ProgressLog<OnnxExportedFile>(channel, next: null)
{
    protected override void Write(OnnxExportedFile value)
    {
        var check = value.LargestDifference is { } difference
            ? string.Create(CultureInfo.InvariantCulture, $"its {compared} differ from the engine's by at most {difference:0.0e+0}")
            : "unchecked";
        Channel.Info(string.Create(
            CultureInfo.InvariantCulture, $"Wrote {value.Name}, {value.Precision}, {value.ByteCount / 1e6:0.0} MB; {check}."));
    }
}
