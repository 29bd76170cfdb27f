namespace MLTransfer.Tests.Pages;

/// <summary>How the programs of a page are run: what they need beside the files that the page shows, and what must come out.</summary>
internal abstract class PageRun
{
    /// <summary>The page, such as <c>docs/text.md</c>.</summary>
    public abstract string Page { get; }

    /// <summary>Puts what the programs need, such as pictures, into the folder.</summary>
    public virtual void Prepare(PageFolder folder)
    {
    }

    /// <summary>Runs a program in the folder.</summary>
    /// <returns>What it printed.</returns>
    public virtual string Run(PageFolder folder, PageProgram program) => folder.Printed(program.Run);

    /// <summary>Checks files and output.</summary>
    /// <param name="folder">Where the programs ran, one after the other.</param>
    /// <param name="printed">What each printed, in the order of the page.</param>
    public abstract void Check(PageFolder folder, IReadOnlyList<string> printed);
}
