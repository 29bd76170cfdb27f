using MLTransfer;
using MLTransfer.Torch.Sounds;

namespace AudioGeneration;

/// <summary>A tune with what it is like.</summary>
internal sealed class TuneRow
{
    public string Caption { get; set; } = "";

    [WaveformType]
    public Waveform? Sound { get; set; }
}
