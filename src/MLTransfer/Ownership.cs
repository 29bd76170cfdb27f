namespace MLTransfer;

/// <summary>Passes what has to be disposed on to a new owner.</summary>
internal static class Ownership
{
    /// <summary>Makes an object that owns another one, which is disposed where this fails.</summary>
    public static T Pass<T>(IDisposable? owned, Func<T> make)
    {
        try
        {
            return make();
        }
        catch
        {
            owned?.Dispose();
            throw;
        }
    }
}
