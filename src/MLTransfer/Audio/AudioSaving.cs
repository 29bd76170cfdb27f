using System.Globalization;
using MLTransfer.Columns;
using MLTransfer.Torch.Sounds;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer.Audio;

/// <summary>Writes sounds into files that are named by their rows' ids.</summary>
/// <param name="Folder">Where files are written; it is made.</param>
/// <param name="Encoding">How samples are held.</param>
internal sealed record AudioSaving(string Folder, WaveEncoding Encoding) : AudioOperation
{
    internal override DataViewType OutputType => TextDataViewType.Instance;

    public override void Check()
    {
        OptionCheck.Defined("encoding", Encoding);
        if (string.IsNullOrWhiteSpace(Folder))
            throw new ArgumentException("The folder for the files has no name.");
    }

    public override MappedBatch CreateBatch(DataViewRow source, DataViewSchema.Column column, int slots) =>
        new AudioRows<Waveform?, ReadOnlyMemory<char>>(source, column, slots, (sound, id, ref name) =>
        {
            if (sound is null)
            {
                name = default;
                return;
            }

            var number = id.High == 0 ? id.Low.ToString("D6", CultureInfo.InvariantCulture) : $"{id.High:x16}{id.Low:x16}";
            var file = $"{number}.wav";
            Directory.CreateDirectory(Folder);
            WaveformFile.Write(Path.Combine(Folder, file), sound, Encoding);
            name = file.AsMemory();
        });
}
