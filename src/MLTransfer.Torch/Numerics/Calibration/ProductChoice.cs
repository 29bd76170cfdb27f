using static TorchSharp.torch;

namespace MLTransfer.Torch.Numerics.Calibration;

/// <summary>What a calibration chose.</summary>
/// <param name="Type">That products are computed in.</param>
/// <param name="Threads">That compute them.</param>
/// <param name="Findings">What was measured, in words.</param>
internal sealed record ProductChoice(ScalarType Type, int Threads, string Findings)
{
    public int Threads { get; } = ThreadCount.Checked(Threads);
}
