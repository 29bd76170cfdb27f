using System.Collections.Immutable;

namespace MLTransfer.Tests.Architecture;

/// <summary>
/// The C# files of projects, whose top folders are their rooms. Arrows are read from the text alone: <c>using</c> directives, and names in
/// the code that are seen without one.
/// </summary>
internal sealed class SourceTree
{
    private readonly Dictionary<string, HashSet<string>> _folders = [];           // of a namespace
    private readonly Dictionary<(string Namespace, string Name), string> _types = []; // and the folder of each
    private readonly Dictionary<(string Namespace, string Name), string> _extensionMethods = [];

    /// <param name="files">The files.</param>
    /// <param name="otherFolders">Folders of generated code, with dots; their namespaces are taken to have the same names.</param>
    public SourceTree(IEnumerable<SourceFile> files, params IEnumerable<string> otherFolders)
    {
        Files = [.. files];
        foreach (var folder in otherFolders)
            _folders[folder] = [folder];
        // not what stands in for a part of .NET
        foreach (var file in Files.Where(file => file.Namespace.Split('.')[0] == file.Folder.Split('.')[0]))
        {
            if (!_folders.TryGetValue(file.Namespace, out var folders))
                _folders[file.Namespace] = folders = [];
            folders.Add(file.Folder);
            foreach (var type in file.Types)
                _types[(file.Namespace, type)] = file.Folder;
            foreach (var method in file.ExtensionMethods)
                _extensionMethods[(file.Namespace, method)] = file.Folder;
        }

        Arrows = [.. Files.SelectMany(ArrowsOf)];
    }

    public ImmutableArray<SourceFile> Files { get; }

    /// <summary>What uses what, one arrow for each place.</summary>
    public ImmutableArray<Arrow> Arrows { get; }

    public IEnumerable<string> Folders => _folders.Values.SelectMany(folders => folders).Distinct();

    /// <summary>The projects of <c>src</c>.</summary>
    public static SourceTree OfTheRepository()
    {
        var source = Path.Combine(RepositoryFiles.Root, "src");
        return new(
            from path in Directory.EnumerateFiles(source, "*.cs", SearchOption.AllDirectories)
            let relative = Path.GetRelativePath(source, path)
            where !relative.Contains("buildTransitive", StringComparison.Ordinal) // compiled in the user's build
            select new SourceFile(relative, File.ReadAllText(path)),
            "MLTransfer.Onnx.Schema");
    }

    /// <summary>The arrows between the folders directly under a folder, whatever lies below them.</summary>
    public IEnumerable<Arrow> ArrowsBetweenChildren(string folder) =>
        from arrow in Arrows
        let user = Child(folder, arrow.From)
        let used = Child(folder, arrow.To)
        where user is not null && used is not null && user != used
        select new Arrow(user, used, arrow.Because);

    /// <summary>The folder directly under a folder that another is or lies in.</summary>
    private static string? Child(string folder, string descendant) =>
        descendant.StartsWith(folder + '.', StringComparison.Ordinal) ? descendant[(folder.Length + 1)..].Split('.')[0] : null;

    private IEnumerable<Arrow> ArrowsOf(SourceFile file) =>
        from name in NamesInCode.Of(file)
        from folder in Find(name, file.Namespace)
        where folder != file.Folder
        select new Arrow(file.Folder, folder, $"{file.Path}: {name.Text}");

    /// <summary>The folders of what a name means.</summary>
    private HashSet<string> Find(NameInCode name, string fileNamespace)
    {
        if (name.IsDirective && string.Join('.', name.Parts) == fileNamespace)
            return []; // for attributes above the namespace; each name is found below
        if (name.IsDirective && _folders.TryGetValue(string.Join('.', name.Parts), out var folders))
            return folders;
        foreach (var scope in name.IsFull ? [""] : Enclosing(fileNamespace))
        {
            if (name.IsExtensionMethod)
            {
                if (_extensionMethods.TryGetValue((scope, name.Parts[0]), out var folder))
                    return [folder];
                continue;
            }

            for (var length = name.Parts.Length - 1; length >= 0; length--)
            {
                var candidate = string.Join('.', name.Parts.Take(length).Prepend(scope).Where(part => part.Length > 0));
                if (_types.TryGetValue((candidate, name.Parts[length]), out var folder))
                    return [folder];
                if (length > 0 && IsGenerated(candidate))
                    return [candidate];
            }
        }

        return [];
    }

    /// <summary>Whether there is a folder of that namespace without a file here, so that its types are not known.</summary>
    private bool IsGenerated(string candidate) =>
        _folders.ContainsKey(candidate) && !Files.Any(file => file.Namespace == candidate);

    /// <summary>A namespace and those around it, the innermost first, and the global one.</summary>
    private static IEnumerable<string> Enclosing(string fileNamespace)
    {
        for (var scope = fileNamespace; scope.Length > 0; scope = scope[..Math.Max(0, scope.LastIndexOf('.'))])
            yield return scope;
        yield return "";
    }
}
