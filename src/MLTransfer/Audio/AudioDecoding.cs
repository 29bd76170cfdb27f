using MLTransfer.Columns;
using MLTransfer.Torch.Sounds;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer.Audio;

/// <summary>Reads the content of files of sounds.</summary>
/// <param name="LongestSeconds">What a longer sound is refused for.</param>
internal sealed record AudioDecoding(double LongestSeconds) : AudioOperation
{
    internal override ColumnKind Accepted => ColumnKind.Bytes;

    internal override string Expected => "a vector of Byte, the content of a file";

    internal override DataViewType OutputType { get; } = WaveformDataViewType.Of();

    public override void Check() => AudioLoading.CheckLongest(LongestSeconds);

    public override MappedBatch CreateBatch(DataViewRow source, DataViewSchema.Column column, int slots) =>
        new AudioRows<VBuffer<byte>, Waveform?>(source, column, slots, (content, id, ref sound) => sound = content.Length == 0
            ? null
            : WaveformFile.Read([.. content.DenseValues()], $"{column.Name} of row {id}", TimeSpan.FromSeconds(LongestSeconds)));
}
