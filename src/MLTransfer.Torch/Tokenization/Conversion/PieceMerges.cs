namespace MLTransfer.Torch.Tokenization.Conversion;

/// <summary>The merges that make the pieces of a vocabulary which has none: each piece of every two that it is made of.</summary>
internal static class PieceMerges
{
    /// <summary>Orders merges by the score of what they make, then by the lengths of their halves, as transformers does.</summary>
    public static List<(int Left, int Right, int Rank, int Id)> Find(
        IReadOnlyList<(string Text, float Score)> pieces, TokenVocabulary vocabulary)
    {
        var merges = new List<(int Left, int Right, int Id, float Score, int LeftLength, int RightLength)>();
        for (int id = 0; id < pieces.Count; id++)
        {
            var ways = new List<(int Left, int Right)>();
            string text = pieces[id].Text;
            for (int cut = 1; cut < text.Length; cut++)
            {
                if (!char.IsLowSurrogate(text[cut]) && vocabulary.Ids.TryGetValue(text[..cut], out int left)
                    && vocabulary.Ids.TryGetValue(text[cut..], out int right))
                {
                    ways.Add((left, right));
                }
            }

            merges.AddRange(ways.Order().Select(way => (
                way.Left, way.Right, id, pieces[id].Score, Length(pieces[way.Left].Text), Length(pieces[way.Right].Text))));
        }

        return
        [
            .. merges.OrderByDescending(merge => merge.Score).ThenByDescending(merge => merge.LeftLength)
                .ThenByDescending(merge => merge.RightLength)
                .Select((merge, rank) => (merge.Left, merge.Right, rank, merge.Id)),
        ];
    }

    private static int Length(string text) => text.EnumerateRunes().Count();
}
