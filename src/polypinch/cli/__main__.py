from polypinch.cli.app import main

main()
