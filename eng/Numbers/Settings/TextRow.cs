namespace Numbers.Settings;

/// <summary>A training row of a language model.</summary>
internal sealed record TextRow(int[] Ids, int[] Labels, int[]? Sequences = null)
{
    public TextRow(int[] ids) : this(ids, ids)
    {
    }
}
