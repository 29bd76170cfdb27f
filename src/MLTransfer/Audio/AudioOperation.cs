using System.Text.Json.Serialization;
using MLTransfer.Columns;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer.Audio;

/// <summary>What is done with a row's value: the settings of an <see cref="AudioTransformer"/>, as a model file holds them.</summary>
[JsonDerivedType(typeof(AudioDecoding), "decode")]
[JsonDerivedType(typeof(AudioEncoding), "encode")]
[JsonDerivedType(typeof(AudioLoading), "load")]
[JsonDerivedType(typeof(AudioPlotting), "plot")]
[JsonDerivedType(typeof(AudioResampling), "resample")]
[JsonDerivedType(typeof(AudioSaving), "save")]
internal abstract record AudioOperation
{
    protected const string Sound = "a sound (see LoadAudio and [WaveformType])";

    /// <summary>The kinds of column that can be read.</summary>
    internal virtual ColumnKind Accepted => ColumnKind.Sound;

    /// <summary>What messages call them.</summary>
    internal virtual string Expected => Sound;

    /// <summary>The type of the new column.</summary>
    internal abstract DataViewType OutputType { get; }

    /// <summary>Checks the settings.</summary>
    /// <exception cref="ArgumentException">One is not usable.</exception>
    public abstract void Check();

    /// <summary>Makes room for rows.</summary>
    public abstract MappedBatch CreateBatch(DataViewRow source, DataViewSchema.Column column, int slots);
}
