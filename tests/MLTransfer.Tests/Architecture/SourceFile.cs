using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace MLTransfer.Tests.Architecture;

/// <summary>A C# file of a project.</summary>
internal sealed class SourceFile
{
    private static readonly CSharpParseOptions s_options = new(LanguageVersion.Preview);

    /// <param name="path">From the folder of the projects on, such as <c>MLTransfer.Torch/Numerics/WorkerTeam.cs</c>.</param>
    /// <param name="text">What it holds.</param>
    public SourceFile(string path, string text)
    {
        Path = path;
        Folder = System.IO.Path.GetDirectoryName(path)!.Replace('/', '.').Replace('\\', '.');
        Root = (CompilationUnitSyntax)CSharpSyntaxTree.ParseText(text, s_options).GetRoot();
        Namespace = Root.Members.OfType<BaseNamespaceDeclarationSyntax>().FirstOrDefault()?.Name.ToString() ?? "";
        Types =
        [
            .. Root.DescendantNodes(node => node is CompilationUnitSyntax or BaseNamespaceDeclarationSyntax).Select(node => node switch
            {
                BaseTypeDeclarationSyntax type => type.Identifier.ValueText,
                DelegateDeclarationSyntax type => type.Identifier.ValueText,
                _ => null,
            }).OfType<string>(),
        ];
        ExtensionMethods =
        [
            .. Root.DescendantNodes().OfType<MethodDeclarationSyntax>()
                .Where(method => method.Parent is ExtensionBlockDeclarationSyntax
                    || method.ParameterList.Parameters.Any(parameter => parameter.Modifiers.Any(SyntaxKind.ThisKeyword)))
                .Select(method => method.Identifier.ValueText),
        ];
    }

    public string Path { get; }

    /// <summary>The folder, with dots, such as <c>MLTransfer.Torch.Numerics</c>.</summary>
    public string Folder { get; }

    public string Namespace { get; }

    public CompilationUnitSyntax Root { get; }

    /// <summary>The types that are not nested.</summary>
    public ImmutableArray<string> Types { get; }

    public ImmutableArray<string> ExtensionMethods { get; }
}
