using MLTransfer;
using MLTransfer.Torch.Sounds;

namespace AudioGeneration;

/// <summary>What somebody says.</summary>
internal sealed class SpeechRow
{
    public string Text { get; set; } = "";

    public string Speaker { get; set; } = "";

    [WaveformType]
    public Waveform? Sound { get; set; }
}
