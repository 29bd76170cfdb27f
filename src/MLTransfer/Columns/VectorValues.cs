using Microsoft.ML.Data;

namespace MLTransfer.Columns;

/// <summary>Brings lists into vector columns.</summary>
internal static class VectorValues
{
    /// <summary>Makes a vector of all items, in memory that the vector has already where it is enough.</summary>
    public static void Fill<T>(ref VBuffer<T> value, IReadOnlyList<T> items)
    {
        var editor = VBufferEditor.Create(ref value, items.Count);
        for (var i = 0; i < items.Count; i++)
            editor.Values[i] = items[i];
        value = editor.Commit();
    }
}
