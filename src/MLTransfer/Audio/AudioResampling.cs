using MLTransfer.Columns;
using MLTransfer.Torch.Sounds;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer.Audio;

/// <summary>Gives sounds one rate, and one number of channels.</summary>
/// <param name="SampleRate">Frames a second.</param>
/// <param name="Channels">How many; null to leave them as they are.</param>
internal sealed record AudioResampling(int SampleRate, int? Channels) : AudioOperation
{
    internal override DataViewType OutputType => WaveformDataViewType.Of(SampleRate, Channels ?? 0);

    public override void Check()
    {
        OptionCheck.AtLeast("sampleRate", SampleRate, 1);
        OptionCheck.AtMost("sampleRate", SampleRate, Waveform.HighestSampleRate, "the highest rate of a sound");
        OptionCheck.AtLeast("channels", Channels ?? 1, 1);
        OptionCheck.AtMost("channels", Channels ?? 1, Waveform.MostChannels, "the most of a sound");
    }

    // channels first where they become fewer: there is less to compute
    public override MappedBatch CreateBatch(DataViewRow source, DataViewSchema.Column column, int slots) =>
        new AudioRows<Waveform?, Waveform?>(source, column, slots, (sound, _, ref converted) => converted =
            sound is null ? null
            : Channels > sound.Channels ? sound.Resample(SampleRate).Mix(Channels.Value)
            : sound.Mix(Channels ?? sound.Channels).Resample(SampleRate));
}
