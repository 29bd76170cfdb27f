using MLTransfer.Columns;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer.Images.LatentProjection;

/// <summary>Some pictures that are projected together.</summary>
internal sealed class ProjectedImageBatch(ImageProjectionTransformer transformer, ColumnValues pictures) : MappedBatch
{
    private float[]? _latents; // [rows, width]

    public override void Clear()
    {
        pictures.Clear();
        _latents = null;
    }

    public override void Read(int slot)
    {
        if (slot < pictures.Count)
            Clear(); // a single row that follows its source
        pictures.Add();
    }

    public override Delegate CreateGetter(int column, Func<int> current) => (ValueGetter<VBuffer<float>>)((ref VBuffer<float> value) =>
    {
        var slot = current();
        _latents ??= transformer.Project(pictures);
        var width = _latents.Length / pictures.Count;
        var editor = VBufferEditor.Create(ref value, width);
        _latents.AsSpan(slot * width, width).CopyTo(editor.Values);
        value = editor.Commit();
    });
}
