using MLTransfer.Columns;
using MLTransfer.Torch.Sounds;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer.Audio;

/// <summary>Turns sounds into the content of WAV files.</summary>
/// <param name="Encoding">How samples are held.</param>
internal sealed record AudioEncoding(WaveEncoding Encoding) : AudioOperation
{
    internal override DataViewType OutputType => new VectorDataViewType(NumberDataViewType.Byte);

    public override void Check() => OptionCheck.Defined("encoding", Encoding);

    public override MappedBatch CreateBatch(DataViewRow source, DataViewSchema.Column column, int slots) =>
        new AudioRows<Waveform?, VBuffer<byte>>(source, column, slots, (sound, _, ref content) =>
        {
            var bytes = sound is null ? [] : WaveformFile.ToBytes(sound, Encoding);
            content = new VBuffer<byte>(bytes.Length, bytes);
        });
}
