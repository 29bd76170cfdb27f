namespace MLTransfer.Torch.Tokenization.Models;

/// <summary>Takes the tokens of a text, with the units that they stand for where these are asked for.</summary>
internal sealed class TokenBuffer
{
    /// <param name="capacity">The number of tokens to make room for.</param>
    /// <param name="keepsUnits">Whether units are kept.</param>
    public TokenBuffer(int capacity, bool keepsUnits)
    {
        Ids = new List<int>(capacity);
        Units = keepsUnits ? new List<TokenUnits>(capacity) : null;
    }

    public List<int> Ids { get; }

    /// <summary>The units of each token, or null.</summary>
    public List<TokenUnits>? Units { get; }

    public void Clear()
    {
        Ids.Clear();
        Units?.Clear();
    }

    /// <param name="id">The token's id.</param>
    /// <param name="start">Its first unit in the word.</param>
    /// <param name="end">One past its last.</param>
    public void Add(int id, int start, int end)
    {
        Ids.Add(id);
        Units?.Add(new TokenUnits(start, end));
    }
}

/// <summary>The UTF-16 units of a word that a token stands for.</summary>
internal readonly record struct TokenUnits(int Start, int End);
